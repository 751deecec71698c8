// A variational autoencoder for tables of mixed columns with holes: real, binary and categorical
// values under one bound, MIWAE's (Mattei and Frellsen, ICML 2019; models/iwae.h).
//
//     input    the encoded row, 0 where missing, beside its mask
//     p(x | z) = prod over observed columns of
//                real         Student's t or a Gaussian                 (models/likelihood.h)
//                binary       Bernoulli
//                categorical  softmax over its words, coded one-hot
//     bound    E log 1/K sum_k exp [log p(x_obs | z_k) + log p(z_k) - log q(z_k | x_obs, m)]
//
// An encoded row has the reals first (standardised), then the binaries (0, 1), then a block of
// zeros and a one for each categorical column; the mask has the shape of the encoded rows.
// (Mixed likelihoods: Nazabal, Olmos, Ghahramani and Valera, Pattern Recognition 107, 2020.)
#pragma once

#include "models/likelihood.h"
#include "models/system.h"
#include "nn/layers.h"
#include "nn/sequential.h"

namespace clade::models {

struct TableSchema {
  int64_t reals = 0, binaries = 0;
  std::vector<int64_t> categories;  // words of each categorical column
  int64_t width() const;            // of an encoded row
};

class TabularVae : public System {
 public:
  TabularVae(const TableSchema& schema, const Settings& settings, uint64_t seed);

  void train(const Rows& rows, const Training& t, const Progress& progress) override;
  std::vector<Var> loss(const data::Batch& batch, int64_t epoch, int64_t step) override;
  Tensor encode(const Rows& rows, const Progress& progress) override;
  // E[x | x_obs] of encoded rows: means of reals, probabilities of words.
  Tensor reconstruct(const Rows& rows, const Progress& progress) override;
  // Draw number `number` of the whole encoded rows given what was observed of them: words are ones
  // and zeros. Sampling importance resampling (MIWAE eq. 13).
  Tensor draw_rows(const Rows& rows, int64_t number, const Progress& progress);
  void visit(nn::Visitor& v) override;

  struct Weighted {
    Var numbers;      // (K N, ...) of the decoder
    Var log_weights;  // (K, N)
  };
  // eps (K, N or 1, latent): the noise of the samples.
  Weighted weigh(const Tensor& x, const Tensor& mask, const Var& eps);
  Var log_likelihood_of(const Var& numbers, const Tensor& x, const Tensor& mask) const;  // (M)

 private:
  TabularVae(const TableSchema& schema, const Settings& settings, uint64_t seed, Random rng);
  int64_t latent() const { return settings_.whole("latent"); }
  struct Blocks {
    Var reals, binaries;
    std::vector<Var> categories;
  };
  Blocks blocks_of(const Var& t, int64_t numbers_a_real) const;
  Tensor expected(const Tensor& numbers) const;  // (M, width)
  Tensor drawn(const Tensor& numbers, Random& rng) const;

  TableSchema schema_;
  Settings settings_;
  uint64_t seed_;
  Likelihood likelihood_;
  nn::Sequential encoder_;
  nn::Linear mean_, logvar_;
  nn::Sequential decoder_;
};

std::vector<Setting> tabular_settings();
void fill_tabular(Settings& settings, int64_t rows, const Shape& sample);  // a recipe

}  // namespace clade::models
