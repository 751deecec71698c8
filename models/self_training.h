// Self-training: the loop that DEC, IDEC, DCEC and DEC with augmentation share.
//
//     pretrain the autoencoder;  centres = k-means of the codes (20 starts)
//     repeat: P = target(Q of all rows)                      every `update` steps
//             stop when fewer than `tolerance` of the labels changed since the last P
//             steps on batches: the system's own loss, with the batch's rows of P
//
// Labels are argmax_j q_ij. Each system is a subclass that says its loss.
#pragma once

#include "models/autoencoder.h"
#include "models/soft_assignment.h"

namespace clade::models {

// An autoencoder with k centres in its code space; the nearest is a row's cluster.
class CentreSystem : public AutoencoderSystem {
 public:
  CentreSystem(const Blueprint& b, Autoencoder ae);
  Tensor assign(const Rows& rows, const Progress& progress) override;
  void visit(nn::Visitor& v) override {
    AutoencoderSystem::visit(v);
    v("centres", centres_);
  }

 protected:
  // centres = k-means of the codes of all rows, 20 starts; the phase "k-means".
  void start_centres(Phases& phases, const Rows& rows, const Progress& progress);

  // The sum over a batch's codes z (N, latent) of |z - m_s|^2, for assignments s (n) i32 of all
  // rows: centres and assignments are held.
  Var distance_to_own(const Var& z, const data::Batch& batch, const Tensor& labels) const;
  // The centres by k-means from where they are; the labels (n) i32.
  Tensor restart_centres(const Rows& rows, const Progress& progress);

  Var centres_;  // (k, latent)
};

class SelfTrained : public CentreSystem {
 public:
  using CentreSystem::CentreSystem;
  void train(const Rows& rows, const Training& t, const Progress& progress) override;
  std::vector<Var> loss(const data::Batch& batch, int64_t epoch, int64_t step) override = 0;

 protected:
  // KL(P || Q) of a batch's codes z (N, latent) and its rows of the present target.
  Var divergence(const Var& z, const data::Batch& batch) const;
  virtual Corruption pretraining_corruption() const { return {}; }
  // What the loss trains: the encoder and the centres, and the decoder if the loss has it.
  virtual bool trains_decoder() const = 0;

 private:
  Tensor target_;  // P (n, k) of all rows, since its last update
};

// update, tolerance, iterations, cluster_optimizer, cluster_lr, cluster_momentum, with these
// defaults.
std::vector<Setting> self_training_settings(const char* optimizer, const char* lr);
// Of these and of the pretraining, what depends on the rows: a target every 140 steps from 50,000
// rows on, else every 30; 20,000 steps for 70,000 rows, which is 75 passes, and as many passes for
// fewer rows, but not below 2,000 steps. For recipes.
void fill_self_training(Settings& settings, int64_t rows);

// The share of labels that differ.
double changed_share(const Tensor& before, const Tensor& after);
// How many clusters have a row.
int64_t clusters_in_use(const Tensor& labels);

}  // namespace clade::models
