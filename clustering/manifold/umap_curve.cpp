// Levenberg-Marquardt in two unknowns: solve (J'J + damping diag(J'J)) step = -J'r; a step that
// makes the sum of squares smaller is taken and the damping falls, else it rises (Marquardt 1963).
#include "clustering/manifold/umap_curve.h"

#include <cmath>
#include <vector>

#include "tensor/error.h"

namespace clade::cluster {
namespace {

constexpr int kSamples = 300;

// J'J, J'r and r'r of the residuals r = 1 / (1 + a x^2b) - y.
struct Normal {
  double aa = 0, ab = 0, bb = 0, ra = 0, rb = 0, rr = 0;
};

Normal normal_equations(const UmapCurve& c, const std::vector<double>& x,
                        const std::vector<double>& y) {
  Normal s;
  for (size_t i = 0; i < x.size(); i++) {
    const double power = std::pow(x[i], 2 * c.b), f = 1 / (1 + c.a * power);
    const double da = -f * f * power;
    const double db = x[i] > 0 ? -f * f * c.a * power * 2 * std::log(x[i]) : 0;
    const double r = f - y[i];
    s.aa += da * da, s.ab += da * db, s.bb += db * db;
    s.ra += r * da, s.rb += r * db, s.rr += r * r;
  }
  return s;
}

}  // namespace

UmapCurve fit_umap_curve(double min_dist, double spread) {
  if (!(spread > 0) || !std::isfinite(spread)) fail("umap", "a finite spread > 0", text(spread));
  if (!(min_dist >= 0 && min_dist <= spread))
    fail("umap", text("min_dist in [0, spread], spread ", spread), text(min_dist));
  std::vector<double> x(kSamples), y(kSamples);
  for (int i = 0; i < kSamples; i++) {
    x[size_t(i)] = 3 * spread * i / (kSamples - 1);
    y[size_t(i)] = x[size_t(i)] < min_dist ? 1 : std::exp(-(x[size_t(i)] - min_dist) / spread);
  }

  UmapCurve curve{1, 1};
  Normal now = normal_equations(curve, x, y);
  for (double damping = 1e-3; damping > 1e-12 && damping < 1e12;) {
    const double aa = now.aa * (1 + damping), bb = now.bb * (1 + damping);
    const double determinant = aa * bb - now.ab * now.ab;
    const UmapCurve next{curve.a - (bb * now.ra - now.ab * now.rb) / determinant,
                         curve.b - (aa * now.rb - now.ab * now.ra) / determinant};
    const bool sound = next.a > 0 && next.b > 0;
    const Normal then = sound ? normal_equations(next, x, y) : Normal{};
    if (sound && then.rr < now.rr) {
      curve = next;
      now = then;
      damping /= 10;
    } else {
      damping *= 10;
    }
  }
  return curve;
}

}  // namespace clade::cluster
