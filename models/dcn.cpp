// DCN, the deep clustering network (Yang, Fu, Sidiropoulos, Hong, ICML 2017); recipe 8.
//
//     min  sum_i |x_i - xhat_i|^2 + (lambda / 2) |z_i - m_s(i)|^2                   (their eq. 8)
//
// over the network, the centres m and the assignment s, in turn for each batch (their section 3.3):
//
//     network     a step on the batch's mean of the above, s and m held
//     assignment  s(i) = argmin_j |z_i - m_j|
//     centres     m_s <- m_s - (z_i - m_s) (-1 / c_s),  c_s <- c_s + 1, a row at a time: a running
//                 mean, so that a cluster that many rows have joined moves slowly. c starts at 100.
//
// Every `refresh` epochs k-means runs again from the present centres.
#include "autograd/functions.h"
#include "models/rows.h"
#include "models/self_training.h"

namespace clade::models {
namespace {

constexpr double kFirstCount = 100;

class Dcn : public CentreSystem {
 public:
  explicit Dcn(const Blueprint& b)
      : CentreSystem(b, make_dense(b)),
        counts_(Tensor::full({b.clusters}, kFirstCount, DType::f64)) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    Phases phases(*this, rows, t);
    pretrain(phases, autoencoder_, rows, blueprint_, t, {}, progress);
    start_centres(phases, rows, progress);

    const Settings& s = settings();
    const int64_t epochs = s.whole("cluster_epochs"), refresh = s.whole("refresh");
    data::Batches batches = batches_of(rows, s.whole("batch"), blueprint_.seed + 1);
    optim::ParameterArena arena(autoencoder_);
    labels_ = {};
    phases.keep("labels", labels_);
    with_optimizer(s.word("cluster_optimizer"), s.number("cluster_lr"),
                   s.number("cluster_momentum"), arena, [&](auto& optimizer) {
                     phases.run("clustering", optimizer, epochs, [&](int64_t epoch) {
                       if (epoch > 0 && epoch % refresh == 0) {
                         restart_centres(rows, progress);
                         counts_.fill_(kFirstCount);
                       }
                       if (!labels_.defined() || epoch % refresh == 0) labels_ = assign(rows, {});
                       const Tensor before = labels_.clone();
                       double sum = 0;
                       const int64_t steps = batches.per_epoch();
                       for (int64_t step = 0; step < steps; step++) {
                         progress("clustering", epoch * steps + step, epochs * steps);
                         const data::Batch batch = batches.at(epoch, step);
                         const Var l = loss(batch, epoch, epoch * steps + step)[0];
                         arena.zero_grad();
                         backward(l);
                         optimizer.step();
                         sum += l.item();
                         settle(batch);
                       }
                       phases.record("clustering loss", sum / double(steps));
                       phases.record("labels that changed", changed_share(before, labels_));
                       phases.record("clusters in use", double(clusters_in_use(labels_)));
                       return true;
                     });
                   });
  }
  // The mean over the batch of eq. 8.
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t) override {
    const Tensor& x = batch.values;
    const double n = double(x.size(0));
    const Var z = autoencoder_.encode(x);
    return {autoencoder_.loss(z, x) * (double(x.numel()) / n) +
            (0.5 * settings().number("lambda") / n) * distance_to_own(z, batch, labels_)};
  }
  void visit(nn::Visitor& v) override {
    CentreSystem::visit(v);
    v("counts", counts_);
  }

 private:
  // Assignment and centres of a batch, after the network's step; on the CPU, a row at a time.
  void settle(const data::Batch& batch) {
    NoGrad no_grad;
    const Tensor codes = autoencoder_.encode(batch.values).value().contiguous();
    const Tensor z = codes.to(Device::cpu()), centres = centres_.value().to(Device::cpu()),
                 counts = counts_.to(Device::cpu());
    const Tensor now = hardened(log_soft_assignment(codes, centres_).value())
                           .to(Device::cpu());  // the nearest centre
    const int64_t* row = batch.rows.data<int64_t>();
    const int32_t* found = now.data<int32_t>();
    int32_t* label = labels_.data<int32_t>();
    float* centre = centres.data<float>();
    double* count = counts.data<double>();
    const int64_t d = z.size(1);
    for (int64_t i = 0; i < z.size(0); i++) {
      const int64_t s = found[i];
      label[row[i]] = int32_t(s);
      count[s] += 1;
      for (int64_t j = 0; j < d; j++) {
        float& c = centre[s * d + j];
        c -= float((double(c) - double(z.data<float>()[i * d + j])) / count[s]);
      }
    }
    if (centres_.value().device().is_cpu()) return;  // then they were written where they are
    put(centres_.value(), centres);
    put(counts_, counts);
  }

  Tensor counts_;  // c (k) f64
  Tensor labels_;  // s (n) i32, of the rows that are trained on
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_pretraining(s, rows); }

}  // namespace

SystemInfo dcn_system() {
  return {.name = "dcn",
          .what = "autoencoder whose codes are drawn to k-means centres, in turn with them",
          .source = "DCN, Yang et al. 2017; P4; recipe 8",
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = joined(dense_settings(),
                             {number("lambda", "2", "weight of the distance to the centres"),
                              whole("cluster_epochs", "50", "clustering: passes over the data", 0),
                              whole("refresh", "10", "passes between two runs of k-means"),
                              one_of("cluster_optimizer", "adam", "adam sgd", "of clustering"),
                              number("cluster_lr", "0.0001", "clustering: learning rate", 1e-12),
                              number("cluster_momentum", "0.9", "clustering: of sgd", 0, 1)}),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new Dcn(b); }};
}

}  // namespace clade::models
