#include "models/mixture_prior.h"

#include <cmath>

#include "autograd/functions.h"

namespace clade::models {
namespace {

constexpr double kLogTwoPi = 1.8378770664093454836;
constexpr double kLeastVariance = 1e-4;  // of a fitted component

// (N, d) beside (k, d): (N, 1, d) and (1, k, d), which broadcast.
Var over_rows(const Var& t) { return reshape(t, {1, t.size(0), t.size(1)}); }
Var over_components(const Var& t) { return reshape(t, {t.size(0), 1, t.size(1)}); }

}  // namespace

MixturePrior::MixturePrior(int64_t k, int64_t d, double logvar)
    : logits(Var::parameter(Tensor::zeros({k}))),
      means(Var::parameter(Tensor::zeros({k, d}))),
      logvars(Var::parameter(Tensor::full({k, d}, logvar))) {}

void MixturePrior::start_at(const cluster::Gmm& gmm) {
  Tensor(logits.value()).fill_(0);
  Tensor(means.value()).copy_(gmm.means.to(means.value().device()));
  Tensor logs = Tensor::empty(logvars.shape());
  for (int64_t i = 0; i < logs.numel(); i++)
    logs.data<float>()[i] =
        float(std::log(std::max(gmm.covariances.data<double>()[i], kLeastVariance)));
  Tensor(logvars.value()).copy_(logs.to(logvars.value().device()));
}

Var MixturePrior::log_weights() const {
  return log_softmax(reshape(logits, {1, logits.size(0)}), 1);
}

Var MixturePrior::log_joint(const Var& z) const {
  const Var lv = over_rows(logvars);
  const Var squares = square(over_components(z) - over_rows(means)) * exp(-lv);
  return log_weights() - 0.5 * sum(squares + lv + kLogTwoPi, {2});
}

Var MixturePrior::kl(const Var& mean, const Var& logvar) const {
  const Var lv = over_rows(logvars), narrow = exp(-lv), v = over_components(logvar);
  const Var off = square(over_components(mean) - over_rows(means));
  return 0.5 * sum(lv - v + (exp(v) + off) * narrow - 1, {2});
}

Var mixture_divergence(const MixturePrior& prior, const Var& log_g, const Var& mean,
                       const Var& logvar) {
  const Var cost = prior.kl(mean, logvar) + log_g - prior.log_weights();
  return sum(exp(log_g) * cost, {1});
}

}  // namespace clade::models
