// The curve that turns a distance in the picture into closeness: 1 / (1 + a d^2b).
//
// a and b are fitted, by least squares, to what min_dist and spread ask for: 1 up to min_dist, then
// exp(-(d - min_dist) / spread), at 300 distances in [0, 3 spread] (as umap-learn does).
#pragma once

namespace clade::cluster {

struct UmapCurve {
  double a, b;
};

// 0 <= min_dist <= spread, spread > 0; else throws Error. (0.1, 1) gives a 1.577, b 0.895.
UmapCurve fit_umap_curve(double min_dist, double spread);

}  // namespace clade::cluster
