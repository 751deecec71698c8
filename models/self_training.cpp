#include "models/self_training.h"

#include <algorithm>
#include <set>

#include "autograd/functions.h"
#include "clustering/centroid/kmeans.h"
#include "models/rows.h"

namespace clade::models {
namespace {

constexpr int kStarts = 20;  // of k-means

// q of all codes (n, k), on the CPU as they are.
Tensor soft_assignment(const Tensor& codes, const Var& centres) {
  return in_batches(
      {codes, {}, centres.value().device()}, 8192, "assign", {},
      [&](const Tensor& z, const Tensor&) { return exp(log_soft_assignment(z, centres)).value(); });
}

struct Trained {
  nn::Sequential* encoder;
  nn::Sequential* decoder;  // null: not trained
  Var* centres;
  void visit(nn::Visitor& v) {
    v("encoder", *encoder), v("centres", *centres);
    if (decoder) v("decoder", *decoder);
  }
};

}  // namespace

double changed_share(const Tensor& before, const Tensor& after) {
  const int32_t *a = before.data<int32_t>(), *b = after.data<int32_t>();
  int64_t changed = 0;
  for (int64_t i = 0; i < after.numel(); i++) changed += a[i] != b[i];
  return double(changed) / double(after.numel());
}

int64_t clusters_in_use(const Tensor& labels) {
  const auto all = labels.to_vector<int32_t>();
  return int64_t(std::set<int32_t>(all.begin(), all.end()).size());
}

CentreSystem::CentreSystem(const Blueprint& b, Autoencoder ae)
    : AutoencoderSystem(b, std::move(ae)),
      centres_(Var::parameter(Tensor::zeros({b.clusters, b.settings.whole("latent")}))) {}

void CentreSystem::start_centres(Phases& phases, const Rows& rows, const Progress& progress) {
  phases.once("k-means", [&] {
    const Tensor codes = encode(rows, progress);
    put(centres_.value(),
        cluster::kmeans(codes, {.k = k(), .n_init = kStarts, .seed = blueprint_.seed}, {}, progress)
            .centres);
  });
}

Var CentreSystem::distance_to_own(const Var& z, const data::Batch& batch,
                                  const Tensor& labels) const {
  const Tensor s = data::gather_rows(labels, batch.rows).to(DType::i64);
  const Tensor own =
      data::gather_rows(centres_.value().to(Device::cpu()), s).to(z.value().device());
  return sum(squared_error(z, own));
}

Tensor CentreSystem::restart_centres(const Rows& rows, const Progress& progress) {
  cluster::KMeansOptions from_here{.k = k(), .centres = centres_.value().to(Device::cpu()).clone()};
  from_here.init = cluster::KMeansOptions::Init::given;
  const cluster::KMeans found = cluster::kmeans(encode(rows, progress), from_here);
  put(centres_.value(), found.centres);
  return found.labels;
}

Tensor CentreSystem::assign(const Rows& rows, const Progress& progress) {
  return hardened(soft_assignment(encode(rows, progress), centres_));
}

void SelfTrained::train(const Rows& rows, const Training& t, const Progress& progress) {
  Phases phases(*this, rows, t);
  pretrain(phases, autoencoder_, rows, blueprint_, t, pretraining_corruption(), progress);
  start_centres(phases, rows, progress);

  const Settings& s = settings();
  const int64_t update = s.whole("update");
  const int64_t units = (s.whole("iterations") + update - 1) / update;
  data::Batches batches = batches_of(rows, s.whole("batch"), blueprint_.seed + 1);
  Trained trained{&autoencoder_.encoder, trains_decoder() ? &autoencoder_.decoder : nullptr,
                  &centres_};
  optim::ParameterArena arena(trained);
  Tensor labels;
  phases.keep("labels", labels);
  with_optimizer(s.word("cluster_optimizer"), s.number("cluster_lr"), s.number("cluster_momentum"),
                 arena, [&](auto& optimizer) {
                   phases.run("clustering", optimizer, units, [&](int64_t unit) {
                     const Tensor q = soft_assignment(encode(rows, {}), centres_);
                     const Tensor now = hardened(q);
                     target_ = target_distribution(q);
                     const double changed = labels.defined() ? changed_share(labels, now) : 1;
                     labels = now;
                     phases.record("labels that changed", changed);
                     phases.record("clusters in use", double(clusters_in_use(now)));
                     if (unit > 0 && changed < s.number("tolerance")) return false;

                     double sum = 0;
                     for (int64_t i = 0; i < update; i++) {
                       const int64_t step = unit * update + i;
                       progress("clustering", step, units * update);
                       const int64_t epoch = step / batches.per_epoch();
                       const data::Batch batch = batches.at(epoch, step % batches.per_epoch());
                       const Var l = loss(batch, epoch, step)[0];
                       arena.zero_grad();
                       backward(l);
                       optimizer.step();
                       sum += l.item();
                     }
                     phases.record("clustering loss", sum / double(update));
                     return true;
                   });
                 });
}

Var SelfTrained::divergence(const Var& z, const data::Batch& batch) const {
  const Tensor p = data::gather_rows(target_, batch.rows).to(z.value().device()).to(z.dtype());
  return clustering_loss(log_soft_assignment(z, centres_), p);
}

std::vector<Setting> self_training_settings(const char* optimizer, const char* lr) {
  return {whole("update", "", "steps between two targets"),
          number("tolerance", "0.001", "stop when fewer labels change, as a share", 0, 1),
          whole("iterations", "", "clustering: steps at most", 0),
          one_of("cluster_optimizer", optimizer, "adam sgd", "of clustering"),
          number("cluster_lr", lr, "clustering: learning rate", 1e-12),
          number("cluster_momentum", "0.9", "clustering: of sgd", 0, 1)};
}

void fill_self_training(Settings& s, int64_t rows) {
  fill_pretraining(s, rows);
  const int64_t passes = 75 * ((rows - 1) / s.whole("batch") + 1);
  s.fill("update", rows >= 50'000 ? "140" : "30");
  s.fill("iterations", std::to_string(std::clamp<int64_t>(passes, 2'000, 20'000)));
}

}  // namespace clade::models
