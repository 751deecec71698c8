// DGG: VaDE with a graph of neighbours (Yang, Cheung, Li and Fang, ICCV 2019). Recipe 11.
//
//     L = sum_n w_n [ -log p(x_0 | z_n) + divergence of q(z | x_n) from the mixture ]
//
// over a row x_0 (w_0 = 1/2) and `neighbors` of its nearest rows (w_n = 1 / (2 neighbours)): each
// must be able to stand for the row, which draws the codes of neighbours into one component. No
// label is used, not for the graph either. The nearest `graph_size` are found
//     siamese   in the space of a siamese network that pulls the two nearest codes together and
//               pushes random pairs until d^2 = 3: mean max(0, 3 + label d^2)
//     codes     among the autoencoder's codes themselves
// and those are drawn from, anew each epoch, that count the row among their own nearest
// (reciprocal), where there are any. The paper trains on 20 neighbours a step, which costs 21 times
// VaDE; 4 cost 5 times.
#include <algorithm>

#include "clustering/neighbors/knn.h"
#include "models/epochs.h"
#include "models/iwae.h"
#include "models/vade.h"
#include "optim/schedule.h"

namespace clade::models {
namespace {

constexpr double kMargin = 3;
constexpr int64_t kPulled = 2;  // nearest codes that the siamese network pulls together

class Dgg : public System {
 public:
  explicit Dgg(const Blueprint& b)
      : blueprint_(b), vade_(b), siamese_(make_dense(siamese_blueprint(b))) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    vade_.start(phases, rows, blueprint_, t, progress);
    if (s.word("graph") == "siamese") train_siamese(phases, rows, progress);

    optim::ParameterArena arena(vade_);
    optim::Adam adam(arena, {.lr = s.number("vade_lr"), .eps = 1e-4, .weight_decay = 1e-4});
    const optim::StepSchedule rate{s.number("vade_lr"), 10, 0.9};
    rows_ = rows.values;
    nearest_.clear();
    train_epochs(
        phases, arena, adam, rows,
        {"graph",
         s.whole("cluster_epochs"),
         s.whole("batch"),
         blueprint_.seed + 2,
         {"negative bound", "graph reconstruction", "graph divergence"}},
        progress,
        [&](const data::Batch& batch, int64_t epoch, int64_t step) {
          if (nearest_.empty()) nearest_ = graph(rows, progress);
          return loss(batch, epoch, step);
        },
        [&](int64_t epoch) { adam.options.lr = rate.at(epoch); });
  }
  std::vector<Var> loss(const data::Batch& batch, int64_t epoch, int64_t step) override {
    const Random rng = Random(blueprint_.seed).fork("dgg");
    const int64_t n = batch.values.size(0), m = blueprint_.settings.whole("neighbors");
    const Tensor x = with_neighbours(batch, m, rng.fork("draw").fork(uint64_t(epoch)));
    Random noise = rng.fork("noise").fork(uint64_t(step));
    const Vade::Posterior q = vade_.encode(x);
    const Var z = reparameterize(q.mean, q.logvar, noise);
    const Var log_g = log_softmax(vade_.prior().log_joint(z), 1);
    const Var divergence = mixture_divergence(vade_.prior(), log_g, q.mean, q.logvar);
    const Var error = vade_.reconstruction_error(z, repeated(batch.values, m + 1));
    const Var r = weighted(error, n, m), d = weighted(divergence, n, m);
    return {blueprint_.settings.number("reconstruction_weight") * r + d, r, d};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return vade_.codes(rows, progress);
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    return reconstruct_rows(vade_.autoencoder(), rows, progress);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    return argmax(vade_.responsibilities(rows, progress), 1).to(DType::i32);
  }
  void visit(nn::Visitor& v) override { v("vade", vade_), v("siamese", siamese_); }

 private:
  static Blueprint siamese_blueprint(Blueprint b) {
    b.seed = Random(b.seed).fork("siamese").bits_at(0);
    return b;
  }

  // Row 0 .. n - 1: the batch's own; then their first neighbours, their second, ...
  Tensor with_neighbours(const data::Batch& batch, int64_t m, const Random& draw) const {
    const int64_t n = batch.values.size(0), size = int64_t(nearest_.size()) / rows_.size(0);
    std::vector<int64_t> members = batch.rows.to_vector<int64_t>();
    for (int64_t j = 0; j < m; j++)
      for (int64_t i = 0; i < n; i++)
        members.push_back(neighbour(nearest_, size, members[size_t(i)], j, draw));
    return data::gather_rows(rows_, Tensor::from(members, {int64_t(members.size())}))
        .to(batch.values.device())
        .to(batch.values.dtype());
  }

  // Mean over rows of 1/2 value_0 + 1/(2 m) sum of its neighbours' values; (n (m + 1)) as gathered.
  static Var weighted(const Var& values, int64_t n, int64_t m) {
    const Var own = mean(slice(values, 0, 0, n));
    if (m == 0) return own;
    return 0.5 * own + 0.5 * mean(slice(values, 0, n, n * (m + 1)));
  }
  // From the codes of the pretrained autoencoder: its weights, then pulls and pushes.
  void train_siamese(Phases& phases, const Rows& rows, const Progress& progress) {
    const Settings& s = blueprint_.settings;
    const int64_t n = rows.size();
    phases.once("siamese start",
                [&] { nn::load_state_dict(siamese_, nn::state_dict(vade_.autoencoder())); });
    std::vector<int32_t> pulled;
    const Random rng = Random(blueprint_.seed).fork("pairs");
    optim::ParameterArena arena(siamese_.encoder);
    optim::Adam adam(arena, {.lr = 1e-3, .weight_decay = 1e-4});
    train_epochs(
        phases, arena, adam, rows,
        {"siamese", s.whole("siamese_epochs"), s.whole("batch"), blueprint_.seed + 1, {"siamese"}},
        progress, [&](const data::Batch& batch, int64_t, int64_t step) {
          if (pulled.empty())
            pulled = cluster::exact_knn(vade_.codes(rows, progress), std::min(kPulled, n - 1),
                                        false, progress)
                         .index.to_vector<int32_t>();
          const int64_t each = int64_t(pulled.size()) / n;
          const Random own = rng.fork(uint64_t(step));
          std::vector<int64_t> near, far;
          for (size_t i = 0; i < size_t(batch.rows.numel()); i++) {
            const int64_t row = batch.rows.data<int64_t>()[i];
            near.push_back(pulled[size_t(row * each + own.below_at(2 * i, each))]);
            far.push_back(own.below_at(2 * i + 1, n));
          }
          auto codes_of = [&](const std::vector<int64_t>& members) {
            const Tensor index = Tensor::from(members, {int64_t(members.size())});
            return siamese_.encoder(Var(data::gather_rows(rows.values, index).to(rows.device)));
          };
          const Var z = siamese_.encoder(Var(batch.values));
          const Var pull = sum(square(z - codes_of(near)), {1}),
                    push = sum(square(z - codes_of(far)), {1});
          return std::vector<Var>{mean(kMargin + pull) + mean(relu(kMargin - push))};
        });
  }

  std::vector<int64_t> graph(const Rows& rows, const Progress& progress) {
    const int64_t n = rows.size(),
                  size = std::min<int64_t>(blueprint_.settings.whole("graph_size"), n - 1);
    const bool siamese = blueprint_.settings.word("graph") == "siamese";
    const Tensor codes =
        siamese ? encode_rows(siamese_, rows, progress) : vade_.codes(rows, progress);
    nn::set_training(*this, true);
    const auto index = cluster::exact_knn(codes, size, false, progress).index.to_vector<int32_t>();
    std::vector<int64_t> out(index.begin(), index.end());
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < size; j++) {
        const auto* first = index.data() + int64_t(index[size_t(i * size + j)]) * size;
        if (std::find(first, first + size, int32_t(i)) == first + size)
          out[size_t(i * size + j)] = -1;
      }
    return out;
  }

  // The j-th drawn neighbour of a row: the next reciprocal one from a drawn place on, or the row.
  static int64_t neighbour(const std::vector<int64_t>& nearest, int64_t size, int64_t row,
                           int64_t j, const Random& draw) {
    const int64_t first = draw.below_at(uint64_t(row) * 64 + uint64_t(j), size);
    for (int64_t l = 0; l < size; l++) {
      const int64_t found = nearest[size_t(row * size + (first + l) % size)];
      if (found >= 0) return found;
    }
    return row;
  }

  Blueprint blueprint_;
  Vade vade_;
  Autoencoder siamese_;
  Tensor rows_;                   // (n, ...) that are trained on: neighbours are drawn from them
  std::vector<int64_t> nearest_;  // (n, graph_size): -1 where a neighbour does not answer
};

void recipe(Settings& s, int64_t rows, const Shape& sample) {
  fill_vade(s, rows, sample);
  s.fill("siamese_epochs", std::to_string(epochs_for(rows)));
}

}  // namespace

SystemInfo dgg_system() {
  return {.name = "dgg",
          .what = "VaDE whose rows must also be explained by their neighbours' codes",
          .source = "Yang et al. 2019; recipe 11",
          .needs_clusters = true,
          .settings =
              joined(vade_settings(),
                     {one_of("loss", "", "squared bernoulli", "of reconstructions"),
                      one_of("graph", "siamese", "siamese codes", "the space of the neighbours"),
                      whole("graph_size", "20", "nearest rows to draw neighbours from", 1, 1000),
                      whole("neighbors", "4", "drawn for each row and step", 0, 60),
                      whole("siamese_epochs", "", "passes of the siamese network", 0)}),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new Dgg(b); }};
}

}  // namespace clade::models
