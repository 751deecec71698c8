#include "apps/bench/roofline.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace clade::apps {
namespace {

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, pattern, args...);
  return buffer;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<' || c == '>' || c == '&' || c == '"')
      out += format("&#%d;", int(c));
    else
      out += c;
  }
  return out;
}

// The plot's area in pixels, and the powers of ten at its borders.
struct Axes {
  static constexpr double left = 70, top = 20, width = 800, height = 460;
  double low_x, high_x, low_y, high_y;

  double x(double intensity) const {
    return left + width * (std::log10(intensity) - low_x) / (high_x - low_x);
  }
  double y(double rate) const {
    return top + height * (high_y - std::log10(rate)) / (high_y - low_y);
  }
};

double intensity(const Point& p) { return p.flops / p.bytes; }

// What mostly moves bytes (a flop a hundred of them, or none) has its place in the table alone.
bool in_plot(const Point& p) {
  return p.flops > 0 && p.bytes > 0 && p.seconds > 0 && intensity(p) >= 0.01;
}

Axes axes_around(const std::vector<Point>& points, const kernels::Ceiling& c) {
  double knee = c.flops / c.bytes;
  Axes axes{std::log10(knee), std::log10(knee), 0, std::log10(c.flops)};
  axes.low_y = axes.high_y - 1;
  for (const Point& p : points) {
    if (!in_plot(p)) continue;
    axes.low_x = std::min(axes.low_x, std::log10(intensity(p)));
    axes.high_x = std::max(axes.high_x, std::log10(intensity(p)));
    axes.low_y = std::min(axes.low_y, std::log10(p.flops / p.seconds));
  }
  axes.low_x = std::floor(axes.low_x);
  axes.low_y = std::floor(axes.low_y);
  axes.high_x = std::ceil(axes.high_x + 0.1);
  axes.high_y = std::ceil(axes.high_y + 0.1);
  return axes;
}

constexpr const char* kColours[] = {"#1b6ca8", "#c8553d", "#3a7d44", "#8d5a97",
                                    "#b07d12", "#2a9d8f", "#d1495b", "#7a4419"};
constexpr const char* kOther = "#a0a6ad";

// The ops that do most with a byte, in that order: each has a colour, all others have one in
// common.
std::vector<std::string> coloured_ops(const std::vector<Point>& points) {
  std::map<std::string, double> most;
  for (const Point& p : points)
    if (in_plot(p)) most[p.op] = std::max(most[p.op], intensity(p));
  std::vector<std::string> ops;
  for (const auto& [op, unused] : most) ops.push_back(op);
  std::stable_sort(ops.begin(), ops.end(),
                   [&](const std::string& a, const std::string& b) { return most[a] > most[b]; });
  ops.resize(std::min(ops.size(), std::size(kColours)));
  return ops;
}

}  // namespace

double roofline_fraction(const Point& p, const kernels::Ceiling& c) {
  return p.seconds > 0 ? std::max(p.flops / c.flops, p.bytes / c.bytes) / p.seconds : 0;
}

bool bound_by_memory(const Point& p, const kernels::Ceiling& c) {
  return p.bytes / c.bytes >= p.flops / c.flops;
}

std::string roofline_svg(const std::vector<Point>& points, const kernels::Ceiling& c) {
  const Axes axes = axes_around(points, c);
  const double right = Axes::left + Axes::width, bottom = Axes::top + Axes::height;
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1090 540\" "
      "font-family=\"system-ui, sans-serif\" font-size=\"13\">\n"
      "<rect width=\"1090\" height=\"540\" fill=\"#fff\"/>\n";
  auto line = [&](double x1, double y1, double x2, double y2, const char* style) {
    out += format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2,
                  style);
  };
  auto label = [&](double x, double y, const char* anchor, const std::string& text) {
    out += format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"#333\">", x, y, anchor) +
           escaped(text) + "</text>\n";
  };
  for (double e = axes.low_x; e <= axes.high_x; e++) {
    double x = axes.x(std::pow(10, e));
    line(x, Axes::top, x, bottom, "stroke=\"#e4e4e4\"");
    label(x, bottom + 18, "middle", format("%g", std::pow(10, e)));
  }
  for (double e = axes.low_y; e <= axes.high_y; e++) {
    double y = axes.y(std::pow(10, e));
    line(Axes::left, y, right, y, "stroke=\"#e4e4e4\"");
    label(Axes::left - 8, y + 4, "end", format("%g", std::pow(10, e - 9)));
  }
  label(Axes::left + Axes::width / 2, bottom + 42, "middle", "FLOPs a byte moved");
  out += format(
      "<text transform=\"translate(18 %.0f) rotate(-90)\" text-anchor=\"middle\" "
      "fill=\"#333\">GFLOP/s</text>\n",
      Axes::top + Axes::height / 2);

  const double knee = c.flops / c.bytes, start = std::pow(10, axes.low_x);
  const double from = std::max(start, std::pow(10, axes.low_y) / c.bytes);
  const char* roof = "stroke=\"#222\" stroke-width=\"2\"";
  line(axes.x(from), axes.y(from * c.bytes), axes.x(knee), axes.y(c.flops), roof);
  line(axes.x(knee), axes.y(c.flops), right, axes.y(c.flops), roof);
  label(right - 4, axes.y(c.flops) - 8, "end", format("%.0f GFLOP/s", c.flops * 1e-9));
  label(axes.x(std::sqrt(from * knee)) - 8, axes.y(std::sqrt(from * knee) * c.bytes) - 8, "end",
        format("%.1f GB/s", c.bytes * 1e-9));

  const std::vector<std::string> ops = coloured_ops(points);
  auto colour = [&](const std::string& op) {
    const size_t place = size_t(std::find(ops.begin(), ops.end(), op) - ops.begin());
    return place < ops.size() ? kColours[place] : kOther;
  };
  for (const bool other : {true, false})  // the coloured ones lie above the others
    for (const Point& p : points) {
      const char* fill = colour(p.op);
      if (!in_plot(p) || (fill == kOther) != other) continue;
      out += format(
                 "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\" fill-opacity=\"%s\" "
                 "stroke=\"%s\"><title>",
                 axes.x(intensity(p)), axes.y(p.flops / p.seconds), fill,
                 p.pass == "forward" ? "0.9" : "0.25", fill) +
             escaped(p.name()) +
             format("&#10;%.3g ms, %.1f GFLOP/s, %.1f GB/s, %.0f %% of the roof</title></circle>\n",
                    p.seconds * 1e3, p.flops / p.seconds * 1e-9, p.bytes / p.seconds * 1e-9,
                    100 * roofline_fraction(p, c));
    }
  double y = Axes::top + 8;
  auto name = [&](const char* fill, const char* opacity, const std::string& text) {
    out += format(
        "<circle cx=\"%.0f\" cy=\"%.0f\" r=\"5\" fill=\"%s\" fill-opacity=\"%s\" "
        "stroke=\"%s\"/>\n",
        right + 20, y, fill, opacity, fill);
    label(right + 32, y + 4, "start", text);
    y += 20;
  };
  for (const std::string& op : ops) name(colour(op), "0.9", op);
  name(kOther, "0.9", "other ops");
  y += 12;
  name("#333", "0.9", "forward");
  name("#333", "0.25", "backward");
  return out + "</svg>\n";
}

std::string roofline_html(const std::vector<Point>& points, const kernels::Ceiling& c) {
  std::string rows;
  for (const Point& p : points)
    rows += "<tr><td>" + escaped(p.op) + "</td><td>" + escaped(p.sample) + "</td><td>" + p.pass +
            format("</td><td>%.3f</td><td>%.1f</td><td>%.1f</td><td>%s</td><td>%.0f %%</td></tr>\n",
                   p.seconds * 1e3, p.flops / p.seconds * 1e-9, p.bytes / p.seconds * 1e-9,
                   bound_by_memory(p, c) ? "memory" : "arithmetic", 100 * roofline_fraction(p, c));
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Clade: "
         "roofline</title>\n"
         "<style>body{font:15px system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 "
         "1em;"
         "color:#222}table{border-collapse:collapse}td,th{padding:2px 10px;text-align:right;"
         "border-bottom:1px solid #eee}td:nth-child(-n+3),th:nth-child(-n+3){text-align:left}"
         "</style></head><body>\n<h1>Roofline</h1>\n<p>Measured ceilings: " +
         format("%.1f GFLOP/s, %.1f GB/s. ", c.flops * 1e-9, c.bytes * 1e-9) +
         "Point at a dot for its name. Work that fits a cache may pass the slanted roof.</p>\n" +
         roofline_svg(points, c) +
         "<table><tr><th>op</th><th>sample</th><th>pass</th><th>ms</th><th>GFLOP/s</th><th>GB/s</"
         "th>"
         "<th>bound by</th><th>of the roof</th></tr>\n" +
         rows + "</table></body></html>\n";
}

}  // namespace clade::apps
