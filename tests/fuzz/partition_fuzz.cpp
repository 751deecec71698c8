// k-means, mini batches, k-POD and Gaussian mixtures on data and options made of the bytes: they
// give finite answers of the right shape, or refuse.
#include <cmath>
#include <cstring>
#include <limits>

#include "clustering/centroid/kmeans.h"
#include "clustering/centroid/kpod.h"
#include "clustering/centroid/mini_batch.h"
#include "clustering/mixture/missing.h"
#include "tests/fuzz/fuzz.h"

using namespace clade;
using namespace clade::cluster;

namespace {

// Numbers off the front; zeros when there are no more.
struct Bytes {
  std::string_view rest;
  uint8_t next() {
    if (rest.empty()) return 0;
    const auto byte = uint8_t(rest.front());
    rest.remove_prefix(1);
    return byte;
  }
  int64_t to(int64_t most) { return int64_t(next()) % (most + 1); }
};

// Coarse values, so that ties and duplicates are common, some of them huge, tiny or missing.
Tensor matrix(Bytes& in, int64_t n, int64_t d, bool holes) {
  Tensor x = Tensor::empty({n, d}, in.to(1) ? DType::f64 : DType::f32);
  const double scales[] = {1, 1, 1, 1e-3, 1e4, 1e18, 1e-22, 1e30}, scale = scales[in.to(7)];
  const double offset = in.to(3) == 0 ? 1e5 * scale : 0;
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t e = 0; e < n * d; e++) {
      const uint8_t byte = in.next();
      x.data<T>()[e] = holes && byte > 220 ? std::numeric_limits<T>::quiet_NaN()
                                           : T(double(byte % 16) * scale + offset);
    }
  });
  return x;
}

void require_finite(const Tensor& t) {
  for (double v : t.to_vector<double>()) fuzz::require(std::isfinite(v));
}

void require_labels(const Tensor& labels, int64_t n, int64_t least, int64_t k) {
  fuzz::require(labels.shape() == Shape{n});
  for (int32_t l : labels.to_vector<int32_t>()) fuzz::require(l >= least && l < k);
}

void partition(Bytes in) {
  const uint8_t what = in.next();
  const int64_t n = in.to(70), d = in.to(20), k = in.to(20) - 1;
  const auto init = KMeansOptions::Init(in.to(2));
  const int n_init = int(in.to(3)), max_iter = int(in.to(20));
  const double tol = in.to(2) * 0.01;
  const uint64_t seed = in.next();
  const auto covariance = Covariance(in.to(3));
  const auto start = GmmOptions::Init(in.to(2));
  const bool holes = what % 5 == 2 || what % 5 == 4;
  const Tensor x = matrix(in, n, d, holes);
  Tensor weights;
  if (what & 128) {
    weights = Tensor::empty({n}, DType::f64);
    for (int64_t i = 0; i < n; i++) weights.data<double>()[i] = double(in.to(3)) / 3;
  }
  switch (what % 5) {
    case 0: {
      const KMeans m = kmeans(x, {k, init, {}, n_init, max_iter, tol, seed}, weights);
      require_labels(m.labels, n, 0, k);
      require_finite(m.centres);
      require_labels(predict(m, x), n, 0, k);
      break;
    }
    case 1: {
      MiniBatchOptions o;
      o.k = k, o.batch = in.to(40), o.max_iter = max_iter, o.init = init, o.seed = seed;
      const KMeans m = mini_batch_kmeans(x, o, weights);
      require_labels(m.labels, n, 0, k);
      require_finite(m.centres);
      break;
    }
    case 2: {
      const KPod m = kpod(x, {k, init, {}, n_init, max_iter, seed}, weights);
      require_labels(m.labels, n, -1, k);
      require_finite(m.centres);
      require_finite(cluster::fill_holes(m, x));
      break;
    }
    default: {
      GmmOptions o;
      o.k = k, o.covariance = covariance, o.init = start, o.n_init = n_init;
      o.max_iter = max_iter, o.tol = tol, o.seed = seed;
      const Gmm gmm = holes ? fit_gmm_with_holes(x, o) : fit_gmm(x, o);
      require_finite(gmm.weights);
      require_finite(gmm.means);
      require_finite(gmm.covariances);
      require_finite(predict_proba_with_holes(gmm, x));
      if (!holes) require_finite(predict_proba(gmm, x));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) { partition({bytes}); });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::vector<std::string> seeds;
  for (int what = 0; what < 5; what++) {
    std::string bytes{char(what), 30, 3, 5, 0, 1, 9, 0, 7, 0, 0, 1, 0, 1};
    for (int i = 0; i < 120; i++) bytes.push_back(char((i * 37 + i / 7) % 256));
    seeds.push_back(bytes);
  }
  return fuzz::sow(*argc, *argv, seeds);
}
