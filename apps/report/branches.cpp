#include "apps/report/branches.h"

#include <algorithm>
#include <cmath>

namespace clade::apps {
namespace {

struct Exit {  // `size` points leave a branch at lambda
  double lambda;
  int64_t size;
};

// The sizes left after each exit, at about `wanted` places: enough for a smooth outline.
std::vector<Branch::Step> outline(double birth, int64_t size, const std::vector<Exit>& exits,
                                  double end, int64_t wanted = 40) {
  std::vector<Branch::Step> steps{{birth, size}};
  const int64_t stride = std::max<int64_t>(1, int64_t(exits.size()) / wanted);
  for (size_t i = 0; i < exits.size() && exits[i].lambda < end; i++) {
    size -= exits[i].size;
    if (int64_t(i + 1) % stride) continue;
    if (steps.size() > 1 && steps.back().lambda == exits[i].lambda)
      steps.back().size = size;
    else
      steps.push_back({exits[i].lambda, size});
  }
  return steps;
}

}  // namespace

BranchPlot branches_of(const TreeReport& tree, int64_t n, int64_t most) {
  BranchPlot plot;
  if (!tree.parent.defined() || tree.parent.numel() == 0) return plot;
  const auto parent = tree.parent.to_vector<int64_t>(), child = tree.child.to_vector<int64_t>();
  const auto size = tree.size.to_vector<int64_t>();
  auto lambda = tree.lambda.to_vector<double>();

  // Points at distance 0 leave at infinity: drawn at the largest finite lambda.
  double largest = 0;
  for (double v : lambda)
    if (std::isfinite(v)) largest = std::max(largest, v);
  if (largest == 0) largest = 1;
  for (double& v : lambda)
    if (!std::isfinite(v)) v = largest;

  const int64_t nodes = std::max(*std::max_element(parent.begin(), parent.end()),
                                 *std::max_element(child.begin(), child.end())) -
                        n + 1;
  std::vector<double> birth(size_t(nodes), 0.0), end(size_t(nodes), 0.0);
  std::vector<int64_t> above(size_t(nodes), -1), points(size_t(nodes), n);
  std::vector<std::vector<Exit>> exits(static_cast<size_t>(nodes));
  std::vector<double> leaving;  // of single points
  for (size_t e = 0; e < parent.size(); e++) {
    const size_t from = size_t(parent[e] - n);
    exits[from].push_back({lambda[e], size[e]});
    end[from] = std::max(end[from], lambda[e]);
    if (child[e] < n) {
      leaving.push_back(lambda[e]);
    } else {
      const size_t node = size_t(child[e] - n);
      birth[node] = lambda[e], above[node] = parent[e] - n, points[node] = size[e];
    }
  }
  // The root is born where its first point leaves: before that nothing happens.
  double first = largest;
  for (const Exit& exit : exits[0]) first = std::min(first, exit.lambda);

  // The largest nodes; a parent is never smaller than its child and has a smaller number.
  std::vector<int64_t> kept(static_cast<size_t>(nodes));
  for (int64_t i = 0; i < nodes; i++) kept[size_t(i)] = i;
  std::stable_sort(kept.begin(), kept.end(),
                   [&](int64_t a, int64_t b) { return points[size_t(a)] > points[size_t(b)]; });
  if (nodes > most) kept.resize(size_t(most));
  std::vector<int64_t> place(size_t(nodes), -1);
  for (size_t i = 0; i < kept.size(); i++) place[size_t(kept[i])] = int64_t(i);

  for (int64_t node : kept) {
    auto& out = exits[size_t(node)];
    std::stable_sort(out.begin(), out.end(),
                     [](const Exit& a, const Exit& b) { return a.lambda < b.lambda; });
    Branch branch;
    branch.parent = above[size_t(node)] < 0 ? -1 : place[size_t(above[size_t(node)])];
    for (const Exit& exit : out)
      branch.stability += (exit.lambda - birth[size_t(node)]) * double(exit.size);
    branch.end = end[size_t(node)];
    branch.steps =
        outline(node == 0 ? first : birth[size_t(node)], points[size_t(node)], out, branch.end);
    plot.lambda_max = std::max(plot.lambda_max, branch.steps[0].lambda);
    plot.branches.push_back(std::move(branch));
  }
  if (tree.selected.defined()) {
    const auto selected = tree.selected.to_vector<int64_t>();
    for (size_t k = 0; k < selected.size(); k++)
      if (int64_t at = place[size_t(selected[k] - n)]; at >= 0)
        plot.branches[size_t(at)].cluster = int64_t(k);
  }

  std::sort(leaving.begin(), leaving.end());
  plot.lambda_min = first > 0 ? first : largest * 1e-3;
  if (!leaving.empty())
    plot.lambda_max = std::max(plot.lambda_max, leaving[(leaving.size() - 1) * 99 / 100]);
  if (plot.lambda_max <= plot.lambda_min) plot.lambda_max = 2 * plot.lambda_min;
  return plot;
}

}  // namespace clade::apps
