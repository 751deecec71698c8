#include "clustering/mixture/missing.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <thread>

#include "clustering/centroid/kpod.h"
#include "clustering/linalg/cholesky.h"
#include "clustering/linalg/matrix.h"
#include "clustering/mixture/start.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr double kLogTwoPi = 1.8378770664093453;
constexpr int64_t kParts = 32;  // of the rows, whose sums are joined in order

// Rows that lack the same columns.
struct Pattern {
  std::vector<int64_t> observed, missing;  // columns
};

// Rows sorted by pattern, patterns in the order of their first rows.
struct Patterns {
  std::vector<Pattern> list;
  std::vector<int64_t> rows;     // (n)
  std::vector<int32_t> pattern;  // (n): of rows[i]
};

// Whether columns are independent within a component: then a hole is nothing but a term that is
// left out, and rows need not be sorted by what they lack.
bool columns_apart(Covariance kind) {
  return kind == Covariance::diagonal || kind == Covariance::spherical;
}

Patterns find_patterns(const Tensor& x, Covariance kind) {
  const int64_t n = x.size(0), d = x.size(1);
  if (columns_apart(kind)) return {};
  std::map<std::vector<bool>, int32_t> known;
  std::vector<int32_t> of_row(static_cast<size_t>(n));
  Patterns out;
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    std::vector<bool> lacks(static_cast<size_t>(d));
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < d; j++) lacks[size_t(j)] = std::isnan(data[i * d + j]);
      auto [at, fresh] = known.try_emplace(lacks, int32_t(out.list.size()));
      if (fresh) {
        out.list.emplace_back();
        for (int64_t j = 0; j < d; j++)
          (lacks[size_t(j)] ? out.list.back().missing : out.list.back().observed).push_back(j);
      }
      of_row[size_t(i)] = at->second;
    }
  });
  out.rows.resize(size_t(n));
  for (int64_t i = 0; i < n; i++) out.rows[size_t(i)] = i;
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [&](int64_t a, int64_t b) { return of_row[size_t(a)] < of_row[size_t(b)]; });
  for (int64_t row : out.rows) out.pattern.push_back(of_row[size_t(row)]);
  return out;
}

// The covariance of component c: (d, d), or where columns are apart the variances (d).
std::vector<double> covariance_of(const Gmm& gmm, int64_t c) {
  const int64_t d = gmm.means.size(1);
  const double* from = gmm.covariances.data<double>();
  switch (gmm.covariance) {
    case Covariance::full: from += c * d * d; break;
    case Covariance::tied: break;
    case Covariance::diagonal: return {from + c * d, from + (c + 1) * d};
    case Covariance::spherical: return std::vector<double>(size_t(d), from[c]);
  }
  return {from, from + d * d};
}

// One component seen through one pattern.
struct Conditional {
  int64_t count = 0;            // observed columns
  std::vector<double> inverse;  // (count, count): L^-1, where S_oo = L L'
  std::vector<double> gain;     // (missing, count): S_mo S_oo^-1
  std::vector<double> rest;     // (missing, missing): C
  double log_factor = 0;        // ln |L^-1| - count ln 2 pi / 2
};

Conditional condition(const std::vector<double>& s, int64_t d, const Pattern& p) {
  Conditional out;
  const int64_t a = out.count = int64_t(p.observed.size()), b = int64_t(p.missing.size());
  auto at = [&](int64_t i, int64_t j) { return s[size_t(i * d + j)]; };
  out.inverse.resize(size_t(a * a));
  for (int64_t i = 0; i < a; i++)
    for (int64_t j = 0; j < a; j++)
      out.inverse[size_t(i * a + j)] = at(p.observed[size_t(i)], p.observed[size_t(j)]);
  if (!cholesky(out.inverse.data(), a))  // S is positive definite, so rounding alone can do it
    fail("gmm", "positive definite covariances", "a singular one in the columns that a row has",
         "raise reg_covar");
  for (int64_t i = 0; i < a; i++) out.log_factor -= std::log(out.inverse[size_t(i * a + i)]);
  out.log_factor -= 0.5 * double(a) * kLogTwoPi;
  invert_lower(out.inverse.data(), a);
  // half = S_mo L^-T, so that gain = half L^-1 and C = S_mm - half half'.
  std::vector<double> half(size_t(b * a), 0.0);
  out.gain.assign(size_t(b * a), 0.0);
  out.rest.resize(size_t(b * b));
  for (int64_t i = 0; i < b; i++) {
    double* h = half.data() + i * a;
    double* g = out.gain.data() + i * a;
    for (int64_t j = 0; j < a; j++) {
      const double* line = out.inverse.data() + j * a;
      for (int64_t l = 0; l <= j; l++)
        h[j] += line[l] * at(p.missing[size_t(i)], p.observed[size_t(l)]);
      for (int64_t l = 0; l <= j; l++) g[l] += h[j] * line[l];
    }
    for (int64_t q = 0; q <= i; q++) {
      double sum = at(p.missing[size_t(i)], p.missing[size_t(q)]);
      for (int64_t l = 0; l < a; l++) sum -= h[l] * half[size_t(q * a + l)];
      out.rest[size_t(i * b + q)] = out.rest[size_t(q * b + i)] = sum;
    }
  }
  return out;
}

// What the rows of one part add up to, about the means that were.
struct Moments {
  double log_likelihood = 0;
  std::vector<double> counts, first, second;  // (k), (k, d), (k, d, d) or (k, d)
};

// Where results for each row go; all may be null.
struct Told {
  double *responsibilities = nullptr, *log_likelihood = nullptr;
  Tensor* filled = nullptr;
};

// Whether a pass is to be stopped, asked between its pieces by all threads: with many columns and
// patterns a pass takes minutes. The caller alone may call `progress`, which throws then.
class Stop {
 public:
  Stop(const Progress& progress, const GmmOptions& o, const Gmm& gmm)
      : progress_(progress), done_(gmm.iterations), total_(o.max_iter) {}

  bool asked() {
    if (std::this_thread::get_id() != caller_) return asked_;
    try {
      progress_("gaussian mixture", done_, total_);
    } catch (...) {
      asked_ = true;
      throw;
    }
    return false;
  }

 private:
  const Progress& progress_;
  const int64_t done_, total_;
  const std::thread::id caller_ = std::this_thread::get_id();
  std::atomic<bool> asked_{false};
};

class Pass {
 public:
  Pass(const Gmm& gmm, const Tensor& x, const Patterns& patterns, Stop* stop = nullptr)
      : stop_(stop),
        gmm_(gmm),
        x_(x),
        patterns_(patterns),
        k_(gmm.means.size(0)),
        d_(gmm.means.size(1)),
        apart_(columns_apart(gmm.covariance)) {
    for (int64_t c = 0; c < k_; c++) {
      covariances_.push_back(covariance_of(gmm, c));
      if (!apart_) continue;
      log_variances_.push_back(covariances_.back());
      for (double& v : log_variances_.back()) v = std::log(v);
    }
    for (double w : gmm.weights.to_vector<double>()) log_weights_.push_back(std::log(w));
  }

  // All rows, in fixed parts; the moments are empty unless they are wanted.
  Moments run(bool with_moments, const Told& told) const {
    const int64_t n = x_.size(0);
    Moments zero;
    if (with_moments) {
      zero.counts.assign(size_t(k_), 0.0);
      zero.first.assign(size_t(k_ * d_), 0.0);
      zero.second.assign(size_t(k_ * d_ * (apart_ ? 1 : d_)), 0.0);
    }
    auto join = [](Moments a, const Moments& b) {
      auto add = [](std::vector<double>& to, const std::vector<double>& from) {
        for (size_t e = 0; e < to.size(); e++) to[e] += from[e];
      };
      a.log_likelihood += b.log_likelihood;
      add(a.counts, b.counts), add(a.first, b.first), add(a.second, b.second);
      return a;
    };
    auto part = [&](int64_t begin, int64_t end) {
      Moments m = zero;
      if (apart_) {
        rows_apart(begin, end, with_moments ? &m : nullptr, told, &m.log_likelihood);
        return m;
      }
      while (begin < end && !(stop_ && stop_->asked())) {  // a pattern at a time
        int64_t last = begin;
        while (last < end && patterns_.pattern[size_t(last)] == patterns_.pattern[size_t(begin)])
          last++;
        rows_of_pattern(begin, last, with_moments ? &m : nullptr, told, &m.log_likelihood);
        begin = last;
      }
      return m;
    };
    return parallel_reduce(n, (n + kParts - 1) / kParts, zero, part, join);
  }

 private:
  // Rows begin <= row < end where columns are apart.
  void rows_apart(int64_t begin, int64_t end, Moments* moments, const Told& told,
                  double* log_likelihood) const {
    std::vector<double> offset(size_t(k_ * d_)), r(static_cast<size_t>(k_));
    std::vector<double> seen(static_cast<size_t>(d_));  // 1 where the row has a value, else 0
    for (int64_t row = begin; row < end; row++) {
      Pattern p;
      find_seen(row, seen.data(), &p);
      for (int64_t c = 0; c < k_; c++)
        r[size_t(c)] =
            log_weights_[size_t(c)] +
            offset_apart(row, c, seen.data(), int64_t(p.observed.size()), offset.data() + c * d_);
      *log_likelihood += tell(row, p, offset, r, told);
      for (int64_t c = 0; moments && c < k_; c++) {
        const double w = r[size_t(c)];
        moments->counts[size_t(c)] += w;
        if (w == 0) continue;
        const double *z = offset.data() + c * d_, *variance = covariances_[size_t(c)].data();
        const double* there = seen.data();
        double *first = moments->first.data() + c * d_, *second = moments->second.data() + c * d_;
        with_vectors([&] {
          for (int64_t j = 0; j < d_; j++) {
            first[j] += w * z[j];
            second[j] += w * (z[j] * z[j] + (1 - there[j]) * variance[j]);
          }
        });
      }
    }
  }

  void find_seen(int64_t row, double* seen, Pattern* p) const {
    dispatch_floating(x_.dtype(), [&](auto zero) {
      const auto* x = x_.data<decltype(zero)>() + row * d_;
      for (int64_t j = 0; j < d_; j++) {
        const bool there = x[j] == x[j];
        seen[j] = there ? 1 : 0;
        (there ? p->observed : p->missing).push_back(j);
      }
    });
  }

  // ln N of the columns that are there, and x^ - m in `offset`: 0 in the others.
  double offset_apart(int64_t row, int64_t c, const double* seen, int64_t count,
                      double* offset) const {
    constexpr int64_t kLanes = 8;
    const double *mean = gmm_.means.data<double>() + c * d_,
                 *variance = covariances_[size_t(c)].data(),
                 *log_variance = log_variances_[size_t(c)].data();
    double lane[kLanes] = {}, sum = 0;
    dispatch_floating(x_.dtype(), [&](auto zero) {
      const auto* x = x_.data<decltype(zero)>() + row * d_;
      with_vectors([&] {
        auto term = [&](int64_t j) {
          const double z = double(x[j]) - mean[j];
          offset[j] = seen[j] != 0 ? z : 0.0;
          return offset[j] * offset[j] / variance[j] + seen[j] * log_variance[j];
        };
        int64_t j = 0;
        for (; j + kLanes <= d_; j += kLanes)
          for (int64_t l = 0; l < kLanes; l++) lane[l] += term(j + l);
        for (int64_t l = 0; j < d_; j++, l++) lane[l] += term(j);
        for (double v : lane) sum += v;
      });
    });
    return -0.5 * (sum + double(count) * kLogTwoPi);
  }

  // Logarithms become responsibilities, and go where they are asked for; returns ln p.
  double tell(int64_t row, const Pattern& p, const std::vector<double>& offset,
              std::vector<double>& r, const Told& told) const {
    double log_p = 0;
    normalize(r, &log_p);
    if (p.observed.empty()) log_p = 0;
    if (told.log_likelihood) told.log_likelihood[row] = log_p;
    for (int64_t c = 0; told.responsibilities && c < k_; c++)
      told.responsibilities[row * k_ + c] = r[size_t(c)];
    if (told.filled) fill(p, row, offset, r, told.filled);
    return log_p;
  }

  void rows_of_pattern(int64_t begin, int64_t end, Moments* moments, const Told& told,
                       double* log_likelihood) const {
    const Pattern& p = patterns_.list[size_t(patterns_.pattern[size_t(begin)])];
    std::vector<Conditional> seen;
    for (int64_t c = 0; c < k_; c++) seen.push_back(condition(covariances_[size_t(c)], d_, p));
    const size_t b = p.missing.size();
    // Offsets from each mean: of the row, with expectations in the missing columns.
    std::vector<double> offset(size_t(k_ * d_)), r(static_cast<size_t>(k_)), total(size_t(k_), 0.0);
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = patterns_.rows[size_t(i)];
      for (int64_t c = 0; c < k_; c++)
        r[size_t(c)] =
            log_weights_[size_t(c)] + complete(seen[size_t(c)], p, row, c, offset.data() + c * d_);
      *log_likelihood += tell(row, p, offset, r, told);
      for (int64_t c = 0; moments && c < k_; c++) {
        const double w = r[size_t(c)];
        total[size_t(c)] += w;
        if (w == 0) continue;
        const double* z = offset.data() + c * d_;
        double* first = moments->first.data() + c * d_;
        double* second = moments->second.data() + c * d_ * d_;
        for (int64_t j = 0; j < d_; j++) {
          first[j] += w * z[j];
          const double factor = w * z[j];
          for (int64_t l = 0; l <= j; l++) second[j * d_ + l] += factor * z[l];
        }
      }
    }
    for (int64_t c = 0; moments && c < k_; c++) {
      moments->counts[size_t(c)] += total[size_t(c)];
      double* second = moments->second.data() + c * d_ * d_;
      for (size_t q = 0; q < b; q++)  // columns rise within a pattern: the lower triangle
        for (size_t l = 0; l <= q; l++)
          second[p.missing[q] * d_ + p.missing[l]] +=
              total[size_t(c)] * seen[size_t(c)].rest[q * b + l];
    }
  }

  // ln N(x_o; ...), and x^ - m in `offset`.
  double complete(const Conditional& seen, const Pattern& p, int64_t row, int64_t c,
                  double* offset) const {
    const double* mean = gmm_.means.data<double>() + c * d_;
    const int64_t a = seen.count;
    dispatch_floating(x_.dtype(), [&](auto zero) {
      const auto* x = x_.data<decltype(zero)>() + row * d_;
      for (int64_t j : p.observed) offset[j] = double(x[j]) - mean[j];
    });
    double squared = 0;
    for (int64_t i = 0; i < a; i++) {
      double sum = 0;
      for (int64_t l = 0; l <= i; l++)
        sum += seen.inverse[size_t(i * a + l)] * offset[p.observed[size_t(l)]];
      squared += sum * sum;
    }
    for (size_t q = 0; q < p.missing.size(); q++) {
      double sum = 0;
      for (int64_t l = 0; l < a; l++)
        sum += seen.gain[q * size_t(a) + size_t(l)] * offset[p.observed[size_t(l)]];
      offset[p.missing[q]] = sum;
    }
    return seen.log_factor - 0.5 * squared;
  }

  // Logarithms become responsibilities; *log_p their sum's.
  void normalize(std::vector<double>& r, double* log_p) const {
    const double most = *std::max_element(r.begin(), r.end());
    if (!std::isfinite(most)) {
      for (size_t c = 0; c < r.size(); c++) r[c] = std::exp(log_weights_[c]);
      *log_p = -std::numeric_limits<double>::infinity();
      return;
    }
    double sum = 0;
    for (double& v : r) sum += v = std::exp(v - most);
    for (double& v : r) v /= sum;
    *log_p = most + std::log(sum);
  }

  void fill(const Pattern& p, int64_t row, const std::vector<double>& offset,
            const std::vector<double>& r, Tensor* filled) const {
    dispatch_floating(filled->dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t j : p.missing) {
        double value = 0;
        for (int64_t c = 0; c < k_; c++)
          value +=
              r[size_t(c)] * (gmm_.means.data<double>()[c * d_ + j] + offset[size_t(c * d_ + j)]);
        filled->data<T>()[row * d_ + j] = T(value);
      }
    });
  }

  Stop* const stop_;
  const Gmm& gmm_;
  const Tensor& x_;
  const Patterns& patterns_;
  const int64_t k_, d_;
  const bool apart_;
  std::vector<std::vector<double>> covariances_;    // of each component, (d, d), or (d) if apart
  std::vector<std::vector<double>> log_variances_;  // if apart
  std::vector<double> log_weights_;
};

// The M-step from moments about the old means.
void maximize_moments(const Moments& moments, double reg_covar, Gmm* gmm) {
  const int64_t k = gmm->means.size(0), d = gmm->means.size(1);
  double *weights = gmm->weights.data<double>(), *means = gmm->means.data<double>();
  double* s = gmm->covariances.data<double>();
  std::fill_n(s, gmm->covariances.numel(), 0.0);
  std::vector<double> counts = moments.counts;
  double all = 0;
  // As in maximize(): a component that nobody wants keeps a trace of weight.
  for (double& count : counts) all += count += 10 * std::numeric_limits<double>::epsilon();
  for (int64_t c = 0; c < k; c++) {
    const double count = counts[size_t(c)];
    weights[c] = count / all;
    std::vector<double> step(static_cast<size_t>(d));
    for (int64_t j = 0; j < d; j++) {
      step[size_t(j)] = moments.first[size_t(c * d + j)] / count;
      means[c * d + j] += step[size_t(j)];
    }
    const bool apart = columns_apart(gmm->covariance);
    auto entry = [&](int64_t j, int64_t l) {  // of the sum of products about the new mean, l <= j
      return moments.second[size_t(apart ? c * d + j : (c * d + j) * d + l)] -
             count * step[size_t(j)] * step[size_t(l)];
    };
    for (int64_t j = 0; j < d; j++) {
      switch (gmm->covariance) {
        case Covariance::full:
          for (int64_t l = 0; l <= j; l++)
            s[(c * d + j) * d + l] = s[(c * d + l) * d + j] = entry(j, l) / count;
          s[(c * d + j) * d + j] += reg_covar;
          break;
        case Covariance::tied:
          for (int64_t l = 0; l <= j; l++) {
            s[j * d + l] += entry(j, l) / all;
            if (l < j) s[l * d + j] = s[j * d + l];
          }
          if (c == k - 1) s[j * d + j] += reg_covar;
          break;
        case Covariance::diagonal: s[c * d + j] = entry(j, j) / count + reg_covar; break;
        case Covariance::spherical: s[c] += (entry(j, j) / count + reg_covar) / double(d); break;
      }
    }
  }
}

Gmm run(const Tensor& x, const Patterns& patterns, const GmmOptions& o, Gmm gmm,
        const Progress& progress) {
  const int64_t n = x.size(0), d = x.size(1);
  whiten(o.covariance, gmm.covariances, o.k, d);  // makes them positive definite
  while (!gmm.converged && gmm.iterations < o.max_iter) {
    progress("gaussian mixture", gmm.iterations, o.max_iter);
    Stop stop(progress, o, gmm);
    const Moments moments = Pass(gmm, x, patterns, &stop).run(true, {});
    gmm.iterations++;
    const double bound = moments.log_likelihood / double(n);
    if (!std::isfinite(bound))
      fail("fit_gmm", "a finite likelihood", text(bound), "scale the data, whose squares overflow");
    maximize_moments(moments, o.reg_covar, &gmm);
    whiten(o.covariance, gmm.covariances, o.k, d);
    gmm.converged = !gmm.lower_bounds.empty() && std::abs(bound - gmm.lower_bounds.back()) < o.tol;
    gmm.lower_bounds.push_back(bound);
  }
  return gmm;
}

// Where EM starts: given, or from data whose holes k-POD has filled.
Gmm first_gmm(const Tensor& x, const GmmOptions& o, int start, const Progress& progress) {
  if (o.start.means.defined()) return first_model(x, o, start, progress).gmm;
  KPodOptions pod;
  pod.k = o.k;
  pod.seed = o.seed + uint64_t(start);
  const KPod found = kpod(x, pod, {}, progress);
  GmmOptions first = o;
  if (o.init == GmmOptions::Init::kmeans && !o.responsibilities.defined()) {
    first.responsibilities = Tensor::zeros({x.size(0), o.k}, DType::f64);
    for (int64_t i = 0; i < x.size(0); i++) {
      const int32_t label = found.labels.data<int32_t>()[i];
      double* row = first.responsibilities.data<double>() + i * o.k;
      if (label >= 0)
        row[label] = 1;
      else
        std::fill_n(row, o.k, 1.0 / double(o.k));
    }
  }
  return first_model(fill_holes(found, x), first, start, progress).gmm;
}

Patterns patterns_for(const Gmm& gmm, const Tensor& x, Tensor* data) {
  *data = matrix_with_holes("gmm", x);
  const int64_t d = gmm.means.size(1);
  if (data->size(1) != d) fail("gmm", text("x (n, ", d, "), as the mixture was fitted"), text(x));
  return find_patterns(*data, gmm.covariance);
}

}  // namespace

Gmm fit_gmm_with_holes(const Tensor& x, const GmmOptions& options, const Progress& progress) {
  const Tensor data = matrix_with_holes("fit_gmm", x);
  check_options(options, data.size(0));
  profiler::Span span("fit_gmm_with_holes");
  const Patterns patterns = find_patterns(data, options.covariance);
  const bool given = options.responsibilities.defined() || options.start.means.defined();
  Gmm best;
  for (int start = 0; start < (given ? 1 : options.n_init); start++) {
    Gmm found = run(data, patterns, options, first_gmm(data, options, start, progress), progress);
    if (start == 0 || found.lower_bounds.back() > best.lower_bounds.back()) best = found;
  }
  return best;
}

Tensor predict_proba_with_holes(const Gmm& gmm, const Tensor& x) {
  Tensor data;
  const Patterns patterns = patterns_for(gmm, x, &data);
  Tensor r = Tensor::empty({data.size(0), gmm.means.size(0)}, DType::f64);
  Pass(gmm, data, patterns).run(false, {r.data<double>(), nullptr, nullptr});
  return r;
}

Tensor predict_with_holes(const Gmm& gmm, const Tensor& x) {
  return likeliest_of(predict_proba_with_holes(gmm, x));
}

Tensor log_likelihood_with_holes(const Gmm& gmm, const Tensor& x) {
  Tensor data;
  const Patterns patterns = patterns_for(gmm, x, &data);
  Tensor out = Tensor::empty({data.size(0)}, DType::f64);
  Pass(gmm, data, patterns).run(false, {nullptr, out.data<double>(), nullptr});
  return out;
}

Tensor fill_holes(const Gmm& gmm, const Tensor& x) {
  Tensor data;
  const Patterns patterns = patterns_for(gmm, x, &data);
  Tensor out = data.clone();
  Pass(gmm, data, patterns).run(false, {nullptr, nullptr, &out});
  return out;
}

}  // namespace clade::cluster
