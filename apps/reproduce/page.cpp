#include "apps/reproduce/page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/report/encode.h"
#include "apps/report/page.h"
#include "tensor/random.h"

namespace clade::apps {
namespace {

std::string escaped(const std::string& s) {
  std::string out;
  for (char c : s) {
    if (c == '&')
      out.append("&amp;");
    else if (c == '<')
      out.append("&lt;");
    else if (c == '>')
      out.append("&gt;");
    else if (c == '"')
      out.append("&quot;");
    else
      out.push_back(c);
  }
  return out;
}

std::string tag(const char* name, const std::string& content, const std::string& attributes = "") {
  return text("<", name, attributes.empty() ? "" : " ", attributes, ">", content, "</", name, ">");
}

// Colours of the first twenty groups, as in the report (apps/report/page/core.js).
constexpr uint32_t kPalette[] = {0x4269d0, 0xefb118, 0xff725c, 0x46b3a0, 0x3f9b47,
                                 0xf57fb0, 0x9a5cf0, 0x6fa8f2, 0x97664b, 0x8a8f98,
                                 0x1f3a8a, 0xb45309, 0xb91c1c, 0x0f766e, 0x166534,
                                 0xbe185d, 0x6b21a8, 0x0369a1, 0x57402f, 0x4b5563};
constexpr uint32_t kNoise = 0xc4c6ca;

// The dot plot: a line a figure, from 0 to 1; a diamond is the paper, a dot a seed, a bar the
// median.
constexpr double kLeft = 330, kWidth = 700, kLine = 24, kRight = 84;

double place(double value) { return kLeft + kWidth * std::clamp(value, 0.0, 1.0); }

std::string dot_line(const TableRow& row, double y) {
  std::string out = text("<text x='", kLeft - 14, "' y='", y + 4, "' text-anchor='end'>",
                         escaped(row.target.metric), "</text><line class='grid' x1='", kLeft,
                         "' x2='", kLeft + kWidth, "' y1='", y, "' y2='", y, "'/>");
  const std::string& m = row.target.measure;
  for (double v : row.values)
    out.append(text("<circle cx='", place(v), "' cy='", y, "' r='4.5' class='seed'><title>",
                    written(m, v), "</title></circle>"));
  if (row.stats.n) {
    const double x = place(row.stats.median);
    out.append(text("<line class='median' x1='", x, "' x2='", x, "' y1='", y - 8, "' y2='", y + 8,
                    "'/><text class='strong' x='", kLeft + kWidth + 12, "' y='", y + 4, "'>",
                    written(m, row.stats.median), "</text>"));
  }
  if (row.target.value) {
    const double x = place(*row.target.value);
    out.append(text("<path class='paper' d='M", x, " ", y - 7, "l7 7l-7 7l-7 -7z'><title>paper ",
                    row.target.printed, "</title></path>"));
  }
  return out;
}

std::string dot_plot(const TableResult& t) {
  std::string body;
  double y = 40;
  for (const EntryResult& e : t.entries) {
    std::vector<const TableRow*> rows;
    for (const TableRow& row : e.rows)
      if (is_share(row.target.measure) && (row.stats.n || row.target.value)) rows.push_back(&row);
    if (rows.empty()) continue;
    const std::string name =
        e.entry.variant.empty() ? e.entry.system : text(e.entry.system, ", ", e.entry.variant);
    body.append(text("<text class='strong' x='0' y='", y + 4, "'>", escaped(name),
                     "</text><text x='0' y='", y + 20, "'>", escaped(e.entry.data), "</text>"));
    for (const TableRow* row : rows) body.append(dot_line(*row, y)), y += kLine;
    y += rows.size() > 1 ? 12 : 24;
  }
  if (body.empty()) return "";
  std::string axis;
  for (int i = 0; i <= 10; i += 2)
    axis.append(text("<text x='", place(i / 10.0), "' y='16' text-anchor='middle'>", i / 10.0,
                     "</text><line class='grid' x1='", place(i / 10.0), "' x2='", place(i / 10.0),
                     "' y1='24' y2='", y - 12, "'/>"));
  const double width = kLeft + kWidth + kRight;
  return text(
      "<section><h2>Beside the paper</h2><p class='caption'>Diamond: the paper. Dot: one "
      "seed. Bar and number: the median of all seeds.</p><div class='scroll'><svg "
      "viewBox='0 0 ",
      width, " ", y, "' style='min-width:760px'>", axis, body, "</svg></div></section>");
}

std::string html_table(const std::vector<Row>& rows, const std::string& align) {
  std::string out = "<div class='scroll'><table>";
  for (size_t r = 0; r < rows.size(); r++) {
    out.append("<tr>");
    for (size_t c = 0; c < rows[r].size(); c++)
      out.append(
          tag(r ? "td" : "th", escaped(rows[r][c]), align[c] == 'r' ? "class='number'" : ""));
    out.append("</tr>");
  }
  return out + "</table></div>";
}

std::string curve_plot(const Record& r) {
  std::string out;
  for (const Curve& curve : r.curves) {
    if (curve.values.size() < 2) continue;
    const auto [low, high] = std::minmax_element(curve.values.begin(), curve.values.end());
    const double range = std::max(*high - *low, 1e-12);
    std::string path;
    for (size_t i = 0; i < curve.values.size(); i++)
      path.append(text(i ? "L" : "M", 300.0 * double(i) / double(curve.values.size() - 1), " ",
                       100 - 96 * (curve.values[i] - *low) / range));
    out.append(text("<figure class='curve'><svg viewBox='0 0 300 104'><path class='line' d='", path,
                    "'/></svg><figcaption>", escaped(curve.name), ": ",
                    fixed(curve.values.front(), 4), " to ", fixed(curve.values.back(), 4), " in ",
                    curve.values.size(), " steps</figcaption></figure>"));
  }
  return out;
}

std::string curves(const TableResult& t) {
  std::string out;
  for (const EntryResult& e : t.entries)
    for (const Record& r : e.records)
      if (const std::string plots = curve_plot(r); !plots.empty()) {
        out.append(text("<h3>", escaped(e.entry.system), " on ", escaped(e.entry.data), ", seed ",
                        r.seed, "</h3><div class='curves'>", plots, "</div>"));
        break;  // one seed shows the course
      }
  return out.empty() ? "" : "<section><h2>Training</h2>" + out + "</section>";
}

std::string picture_section(const std::vector<Picture>& pictures) {
  std::string out;
  for (const Picture& p : pictures) {
    out.append("<figure class='pair'>");
    for (const std::string& png : {p.classes, p.clusters})
      if (!png.empty())
        out.append(text("<img alt='' src='data:image/png;base64,", base64(png), "'>"));
    out.append(tag("figcaption", escaped(p.name)) + "</figure>");
  }
  if (out.empty()) return "";
  return text(
      "<section><h2>In two dimensions</h2><p class='caption'>Left by known class, right by "
      "cluster; grey is noise.</p><div class='pairs'>",
      out, "</div></section>");
}

constexpr const char* kOwnStyle = R"(
.seed { fill: var(--accent); fill-opacity: .55; }
.median { stroke: var(--ink); stroke-width: 2; }
.paper { fill: none; stroke: var(--hatch); stroke-width: 2.4; }
.line { fill: none; stroke: var(--accent); stroke-width: 1.6; }
.curves, .pairs { display: flex; flex-wrap: wrap; gap: 18px; margin-bottom: 24px; }
figure { margin: 0; } figcaption { font-size: 13px; color: var(--quiet); max-width: 520px; }
.curve { width: 300px; } .pair img { width: 250px; border: 1px solid var(--line); margin-right: 6px;
         border-radius: 6px; background: #fff; }
td { font-size: 14px; } ol { padding-left: 22px; max-width: 92ch; font-size: 14.5px; }
)";

}  // namespace

std::string draw_points(const Tensor& points, const Tensor& labels, int64_t side) {
  if (!points.defined() || !labels.defined() || labels.numel() != points.size(0)) return "";
  const auto xy = points.to_vector<double>();
  const auto groups = labels.to_vector<int32_t>();
  const int64_t n = points.size(0);
  double low[2], width = 1e-9;
  for (int axis = 0; axis < 2; axis++) {
    std::vector<double> column;
    for (int64_t i = 0; i < n; i++) column.push_back(xy[size_t(2 * i + axis)]);
    std::sort(column.begin(), column.end());
    const size_t tail = column.size() / 500;  // a stray point does not shrink the rest
    low[axis] = column[tail];
    width = std::max(width, column[column.size() - 1 - tail] - column[tail]);
  }
  std::vector<uint8_t> pixels(size_t(side * side * 3), 255);
  Random rng(0);
  for (int64_t i : permutation(n, rng).to_vector<int64_t>()) {  // so that no group hides another
    const double margin = 0.03, scale = (1 - 2 * margin) / width;
    const auto x = int64_t(double(side) * (margin + scale * (xy[size_t(2 * i)] - low[0])));
    const auto y = int64_t(double(side) * (1 - margin - scale * (xy[size_t(2 * i + 1)] - low[1])));
    const int32_t g = groups[size_t(i)];
    const uint32_t colour = g < 0 ? kNoise : kPalette[size_t(g) % std::size(kPalette)];
    for (int64_t dy = 0; dy < 2; dy++)
      for (int64_t dx = 0; dx < 2; dx++) {
        if (x + dx < 0 || y + dy < 0 || x + dx >= side || y + dy >= side) continue;
        uint8_t* pixel = &pixels[size_t(((y + dy) * side + x + dx) * 3)];
        for (int c = 0; c < 3; c++) pixel[c] = uint8_t(colour >> (16 - 8 * c));
      }
  }
  return png(pixels, side, side, 3);
}

std::string as_page(const TableResult& t, const std::vector<Picture>& pictures) {
  const std::vector<std::vector<Row>> tables = {main_rows(t), noise_rows(t)};
  std::string notes;
  for (const std::string& note : t.footnotes) notes.append(tag("li", escaped(note)));
  std::string why;
  for (const std::string& line : reasons(t)) why.append(tag("li", escaped(line)));
  std::string body =
      text("<div class='kicker'>Clade reproduces</div><h1>", escaped(t.table.name),
           "</h1><p class='lead'>", escaped(t.table.title), ": ", escaped(t.table.where), " of ",
           escaped(t.table.paper), ".</p><p class='quiet'>Scale ", t.scale.name(), "; ",
           escaped(t.machine), "; commit ", escaped(t.commit), ".</p>", dot_plot(t),
           "<section><h2>Figures</h2>", html_table(tables[0], kMainAlign));
  if (!notes.empty()) body.append("<ol>" + notes + "</ol>");
  body.append("</section>");
  if (tables[1].size() > 1)
    body.append(
        "<section><h2>The noise</h2><p class='caption'>ACC by what becomes of the points "
        "that HDBSCAN leaves out; medians.</p>" +
        html_table(tables[1], kNoiseAlign) + "</section>");
  body.append(picture_section(pictures) + curves(t));
  if (!why.empty()) body.append("<section><h2>Not run</h2><ul>" + why + "</ul></section>");
  return text(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
      "name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>",
      escaped(t.table.name), "</title><style>", kPageStyle, kOwnStyle,
      "</style></head><body><main>", body, "</main></body></html>\n");
}

}  // namespace clade::apps
