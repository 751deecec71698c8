// Puts a run into the page: the drawn points in random order, groups with their sizes, atlases of
// images, the branches of the tree, all as one JSON object.
#include "apps/report/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/cli/table.h"
#include "apps/report/atlas.h"
#include "apps/report/branches.h"
#include "apps/report/encode.h"
#include "apps/report/page.h"
#include "tensor/random.h"

namespace clade::apps {
namespace {

using nlohmann::json;

constexpr int64_t kMostPoints = 100'000;    // drawn
constexpr int64_t kThumbBytes = 9'500'000;  // of all thumbnails: keeps the page below 15 MB
constexpr int64_t kThumbSide = 32;          // larger images are shrunk towards it
constexpr int64_t kLeastSide = 14;          // to which they are shrunk where they are many
constexpr int kThumbLevels = 64;            // shades: a quarter fewer bytes, and nobody sees it

void check(bool fits, const char* what, const Tensor& came, int64_t n) {
  if (!fits) fail("report_html", text(what, " for n = ", n, " points"), text(came));
}

// Which rows are drawn, in which order: a seeded shuffle, so that no group hides another and the
// first ones are a fair sample.
std::vector<int64_t> drawn_rows(int64_t n, uint64_t seed) {
  Random rng = Random(seed).fork("report");
  auto rows = permutation(n, rng).to_vector<int64_t>();
  if (n > kMostPoints) rows.resize(size_t(kMostPoints));
  return rows;
}

// Group of each drawn point, shifted by one: 0 is "none" (noise, or no label).
std::string groups_of(const std::vector<int64_t>& labels, const std::vector<int64_t>& rows) {
  std::vector<uint16_t> out;
  out.reserve(rows.size());
  for (int64_t row : rows) out.push_back(uint16_t(labels[size_t(row)] + 1));
  return base64(out);
}

struct Span {
  double low = 0, high = 0;
  double middle() const { return (low + high) / 2; }
  double width() const { return high - low; }
};

// From the least to the greatest value, leaving out a share `tail` at either end.
Span span_of(std::vector<double> values, double tail) {
  std::sort(values.begin(), values.end());
  const auto skipped = size_t(tail * double(values.size()));
  return {values[skipped], values[values.size() - 1 - skipped]};
}

// The first two columns, one scale for both axes, centred in the unit square; 16 bits each. `home`
// is the view that the page opens with: all but the farthest few, so that a stray point does not
// shrink the rest.
json points(const Tensor& embedding, const std::vector<int64_t>& rows) {
  const int64_t n = embedding.size(0), d = embedding.size(1), shown = int64_t(rows.size());
  const int64_t drawn = std::min<int64_t>(d, 2);
  const auto values = embedding.slice(1, 0, drawn).to_vector<double>();
  std::vector<double> xy[2];
  for (int64_t row : rows) {
    xy[0].push_back(values[size_t(row * drawn)]);
    xy[1].push_back(d > 1 ? -values[size_t(row * drawn + 1)] : 0.0);  // a screen's y points down
  }
  const Span x = span_of(xy[0], 0), y = span_of(xy[1], 0);
  const Span near_x = span_of(xy[0], 0.003), near_y = span_of(xy[1], 0.003);
  const double side = 1.06 * std::max({x.width(), y.width(), 1e-9});
  const double near_side = 1.12 * std::max({near_x.width(), near_y.width(), side / 50});

  auto unit = [&](double v, const Span& s) { return 0.5 + (v - s.middle()) / side; };
  auto quantized = [&](const std::vector<double>& column, const Span& s) {
    std::vector<uint16_t> out;
    for (double v : column) out.push_back(uint16_t(std::clamp(65536 * unit(v, s), 0.0, 65535.0)));
    return base64(out);
  };
  std::string caption;
  if (shown < n)
    caption = text("A seeded sample of ", grouped(shown), " of the ", grouped(n), " points.");
  if (d > 2) caption.append(text(" The first two of ", d, " dimensions."));
  json home{{"x", 0.5}, {"y", 0.5}, {"zoom", 1}};
  if (side > 1.25 * near_side)
    home = {{"x", unit(near_x.middle(), x)},
            {"y", unit(near_y.middle(), y)},
            {"zoom", side / near_side}};
  return {{"shown", shown},
          {"row", base64(std::vector<uint32_t>(rows.begin(), rows.end()))},
          {"x", quantized(xy[0], x)},
          {"y", quantized(xy[1], y)},
          {"home", home},
          {"caption", caption}};
}

json to_json(const Atlas& atlas) {
  return {{"png", base64(atlas.png)},
          {"columns", atlas.columns},
          {"rows", atlas.rows},
          {"width", atlas.width},
          {"height", atlas.height}};
}

// Thumbnails of the first `count` drawn points.
Atlas small_images(const ReportData& data, const Tensor& mask, const std::vector<int64_t>& rows,
                   int64_t count, int64_t shrink) {
  const auto columns = int64_t(std::ceil(std::sqrt(double(count))));
  AtlasPainter painter(count, columns, data.images.shape().without(0), shrink, kThumbLevels);
  for (int64_t i = 0; i < count; i++) painter.paint(i, data.images, mask, rows[size_t(i)]);
  return painter.finish();
}

// Of every drawn point, if they fit into the budget; at half the side if they fit only so; else of
// the first ones, which are a fair sample. What they will take is judged by the first 2000.
json thumbnails(const ReportData& data, const Tensor& mask, const std::vector<int64_t>& rows) {
  const int64_t drawn = int64_t(rows.size()), tried = std::min<int64_t>(drawn, 2000);
  const int64_t side = std::max(data.images.size(2), data.images.size(3));
  auto fit = [&](int64_t shrink) {
    const auto bytes = double(small_images(data, mask, rows, tried, shrink).png.size());
    return int64_t(double(kThumbBytes) / bytes * double(tried));
  };
  int64_t shrink = std::max<int64_t>(1, side / kThumbSide), most = fit(shrink);
  if (most < drawn && side / (2 * shrink) >= kLeastSide) most = fit(shrink *= 2);
  const int64_t count = std::min(drawn, std::max<int64_t>(1, most));
  json out = to_json(small_images(data, mask, rows, count, shrink));
  out["count"] = count;
  return out;
}

// Rows of sprites under one another: original, seen (where something is missing), reconstructed.
json sample_images(const ReportData& data, const Tensor& mask) {
  const auto columns = int64_t(data.sample_rows.size());
  std::vector<std::string> names{"original"};
  if (mask.defined()) names.push_back("as seen");
  if (data.reconstructions.defined()) names.push_back("reconstructed");
  AtlasPainter painter(columns * int64_t(names.size()), columns, data.images.shape().without(0));
  int64_t slot = 0;
  for (const std::string& name : names)
    for (int64_t i = 0; i < columns; i++, slot++) {
      if (name == "reconstructed")
        painter.paint(slot, data.reconstructions, {}, i);
      else
        painter.paint(slot, data.images, name == "original" ? Tensor() : mask,
                      data.sample_rows[size_t(i)]);
    }
  json out = to_json(painter.finish());
  out["names"] = names;
  std::string caption = text("A seeded sample of ", columns, " images");
  if (mask.defined()) caption.append("; what is hatched was hidden from the model");
  out["caption"] = caption + ".";
  return out;
}

struct Classes {
  std::vector<int64_t> of;  // per point, -1 unknown; empty without labels
  size_t count = 0;
};

json classes_json(const ReportData& data, const Classes& classes,
                  const std::vector<int64_t>& rows) {
  std::vector<int64_t> sizes(classes.count + 1);
  for (int64_t c : classes.of) sizes[size_t(c + 1)]++;
  json groups = json::array();
  for (size_t c = 0; c <= classes.count; c++)
    groups.push_back({{"name", c ? data.class_names[c - 1] : "unknown"}, {"size", sizes[c]}});
  return {{"groups", groups}, {"of", groups_of(classes.of, rows)}};
}

json method_json(const MethodReport& method, const Classes& classes,
                 const std::vector<int64_t>& rows) {
  const auto labels = method.labels.to_vector<int64_t>();
  const auto k = size_t(1 + *std::max_element(labels.begin(), labels.end()));
  std::vector<int64_t> sizes(k + 1);
  std::vector<std::vector<int64_t>> by_class(k + 1, std::vector<int64_t>(classes.count + 1));
  for (size_t i = 0; i < labels.size(); i++) {
    sizes[size_t(labels[i] + 1)]++;
    if (!classes.of.empty()) by_class[size_t(labels[i] + 1)][size_t(classes.of[i] + 1)]++;
  }
  json groups = json::array(), scores = json::array(), treatments = json::array();
  for (size_t g = 0; g <= k; g++) {
    std::string name = g ? std::to_string(g - 1) : "noise";
    groups.push_back({{"name", name}, {"size", sizes[g]}, {"by_class", by_class[g]}});
  }
  for (const Score& s : method.scores) scores.push_back({{"name", s.name}, {"value", s.value}});
  for (const NoiseTreatment& t : method.noise_treatments)
    treatments.push_back({{"name", t.name}, {"value", t.value}, {"meaning", t.meaning}});
  return {{"key", method.key},
          {"name", method.name},
          {"groups", groups},
          {"scores", scores},
          {"noise_treatments", treatments},
          {"of", groups_of(labels, rows)}};
}

json tree_json(const TreeReport& tree, int64_t n) {
  const BranchPlot plot = branches_of(tree, n);
  if (plot.branches.empty()) return nullptr;
  json branches = json::array();
  for (const Branch& b : plot.branches) {
    json steps = json::array();
    for (const Branch::Step& step : b.steps) steps.push_back({step.lambda, step.size});
    branches.push_back({{"parent", b.parent},
                        {"cluster", b.cluster},
                        {"steps", steps},
                        {"end", b.end},
                        {"stability", b.stability}});
  }
  return {{"branches", branches}, {"lambda_min", plot.lambda_min}, {"lambda_max", plot.lambda_max}};
}

json facts(const std::vector<Fact>& list) {
  json out = json::array();
  for (const Fact& f : list) out.push_back({{"name", f.name}, {"value", f.value}});
  return out;
}

// JSON inside <script>: no "</script>" can come out of a text, and invalid UTF-8 is replaced.
std::string script_safe(const json& data) {
  std::string out;
  for (char c : data.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (c == '<')
      out.append("\\u003c");
    else
      out.push_back(c);
  }
  return out;
}

std::string fill_page(const std::string& data) {
  const std::string_view page = kPageHtml;
  std::string out;
  size_t from = 0;
  auto put = [&](std::string_view place, std::string_view content) {
    size_t at = page.find(place, from);
    out.append(page.substr(from, at - from)).append(content);
    from = at + place.size();
  };
  put("{{style}}", kPageStyle);
  put("{{data}}", data);
  put("{{script}}", kPageScript);
  return out.append(page.substr(from));
}

}  // namespace

std::string report_html(const ReportData& data) {
  check(data.embedding.rank() == 2 && data.embedding.size(1) >= 1, "embedding (n, d)",
        data.embedding, 0);
  const int64_t n = data.embedding.size(0);
  Classes classes;
  if (data.classes.defined()) {
    check(data.classes.numel() == n, "classes (n)", data.classes, n);
    classes.of = data.classes.to_vector<int64_t>();
    classes.count = data.class_names.size();
    for (int64_t c : classes.of)
      if (c < -1 || c >= int64_t(classes.count))
        fail("report_html", text("classes below ", classes.count), text("class ", c));
  }

  const std::vector<int64_t> rows = drawn_rows(n, data.seed);
  json out{{"title", data.title},
           {"summary", data.summary},
           {"command", data.command},
           {"full_command", data.full_command},
           {"notes", data.notes},
           {"figures", facts(data.figures)},
           {"settings", facts(data.settings)},
           {"n", n},
           {"points", points(data.embedding, rows)},
           {"methods", json::array()},
           {"loss", json::array()},
           {"times", json::array()},
           {"tree", tree_json(data.tree, n)}};
  if (data.classes.defined()) out["classes"] = classes_json(data, classes, rows);
  for (const MethodReport& method : data.methods) {
    check(method.labels.numel() == n && n > 0, "labels (n)", method.labels, n);
    out["methods"].push_back(method_json(method, classes, rows));
  }
  for (const Curve& c : data.loss) out["loss"].push_back({{"name", c.name}, {"values", c.values}});
  if (!data.sweep.lines.empty()) {
    const Sweep& s = data.sweep;
    out["sweep"] = {{"title", s.title}, {"caption", s.caption}, {"axis", s.axis}, {"at", s.at}};
    for (const Curve& c : s.lines) {
      if (c.values.size() != s.at.size())
        fail("report_html", text(s.at.size(), " values of ", c.name), text(c.values.size()));
      out["sweep"]["lines"].push_back({{"name", c.name}, {"values", c.values}});
    }
  }
  for (const StageTime& t : data.times)
    out["times"].push_back({{"name", t.name}, {"seconds", t.seconds}});

  if (data.images.defined()) {
    check(data.images.rank() == 4 && data.images.size(0) == n && data.images.dtype() == DType::f32,
          "images (n, C, H, W) f32", data.images, n);
    const auto samples = int64_t(data.sample_rows.size());
    check(!data.reconstructions.defined() ||
              data.reconstructions.shape() == data.images.shape().with(0, samples),
          "reconstructions like the images, one a sample row,", data.reconstructions, n);
    const Tensor mask = data.mask.defined() ? data.mask.to(DType::u8) : Tensor();
    out["thumbs"] = thumbnails(data, mask, rows);
    if (!data.sample_rows.empty()) out["samples"] = sample_images(data, mask);
  }
  return fill_page(script_safe(out));
}

}  // namespace clade::apps
