#include "rl/report/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>

#include "rl/figure_text.h"

namespace covrl {

namespace {

constexpr double kWidth = 560, kHeight = 260, kLeft = 52, kRight = 12, kTop = 10, kBottom = 30;
constexpr int kNumColors = 10;

struct Bounds {
  double x_low = std::numeric_limits<double>::infinity(), x_high = -x_low;
  double y_low = x_low, y_high = -x_low;
};

Bounds bounds_of(const Chart& chart) {
  Bounds b;
  for (const Series& series : chart.series) {
    for (const auto& [x, y] : series.points) {
      if (!std::isfinite(y)) continue;
      b.x_low = std::min(b.x_low, x), b.x_high = std::max(b.x_high, x);
      b.y_low = std::min(b.y_low, y), b.y_high = std::max(b.y_high, y);
    }
  }
  if (b.y_low > 0) b.y_low = 0;  // curves start at zero, so that heights compare
  if (b.x_high <= b.x_low) b.x_high = b.x_low + 1;
  if (b.y_high <= b.y_low) b.y_high = b.y_low + 1;
  return b;
}

// A step of 1, 2 or 5 times a power of ten that gives about five ticks.
double tick_step(double span) {
  const double rough = span / 5, power = std::pow(10, std::floor(std::log10(rough)));
  const double mantissa = rough / power;
  return power * (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10);
}

std::string number(double value, Unit unit) {
  return unit == Unit::kPercent ? figure("%.4g %%", 100 * value) : figure("%.4g", value);
}

class Plot {
 public:
  explicit Plot(const Chart& chart) : chart_(chart), bounds_(bounds_of(chart)) {}

  std::string draw() {
    out_ << "<svg viewBox=\"0 0 " << kWidth << " " << kHeight << "\" role=\"img\" aria-label=\""
         << escape_html(chart_.title) << "\">";
    draw_grid();
    for (const Marker& marker : chart_.markers) draw_marker(marker);
    for (size_t i = 0; i < chart_.series.size(); ++i) draw_series(chart_.series[i], i);
    out_ << "</svg>";
    return out_.str();
  }

 private:
  double x_of(double x) const {
    return kLeft +
           (x - bounds_.x_low) / (bounds_.x_high - bounds_.x_low) * (kWidth - kLeft - kRight);
  }
  double y_of(double y) const {
    return kHeight - kBottom -
           (y - bounds_.y_low) / (bounds_.y_high - bounds_.y_low) * (kHeight - kTop - kBottom);
  }

  void draw_grid() {
    const double y_step = tick_step(bounds_.y_high - bounds_.y_low),
                 x_step = std::max(chart_.x_name.empty() ? 1.0 : 0.0,
                                   tick_step(bounds_.x_high - bounds_.x_low));
    for (double y = std::ceil(bounds_.y_low / y_step) * y_step; y <= bounds_.y_high + 1e-9 * y_step;
         y += y_step) {
      const double value = std::abs(y) < 1e-9 * y_step ? 0 : y;
      out_ << "<line class=\"grid\" x1=\"" << kLeft << "\" x2=\"" << kWidth - kRight << "\" y1=\""
           << y_of(y) << "\" y2=\"" << y_of(y)
           << "\"/><text class=\"tick\" text-anchor=\"end\" x=\"" << kLeft - 6 << "\" y=\""
           << y_of(y) + 4 << "\">" << number(value, chart_.unit) << "</text>";
    }
    for (double x = std::ceil(bounds_.x_low / x_step) * x_step; x <= bounds_.x_high + 1e-9 * x_step;
         x += x_step)
      out_ << "<text class=\"tick\" text-anchor=\"middle\" x=\"" << x_of(x) << "\" y=\""
           << kHeight - 14 << "\">" << (std::abs(x) < 1e-9 * x_step ? 0 : x) << "</text>";
    if (!chart_.x_name.empty())
      out_ << "<text class=\"tick\" text-anchor=\"end\" x=\"" << kWidth - kRight << "\" y=\""
           << kHeight - 2 << "\">" << escape_html(chart_.x_name) << "</text>";
  }

  void draw_marker(const Marker& marker) {
    if (marker.x < bounds_.x_low || marker.x > bounds_.x_high) return;
    const double x = x_of(marker.x);
    out_ << "<line class=\"marker\" x1=\"" << x << "\" x2=\"" << x << "\" y1=\"" << kTop
         << "\" y2=\"" << kHeight - kBottom << "\"><title>" << escape_html(marker.text)
         << "</title></line>";
  }

  void draw_series(const Series& series, size_t index) {
    std::string path;
    bool pen_down = false;
    for (const auto& [x, y] : series.points) {
      if (!std::isfinite(y)) {
        pen_down = false;
        continue;
      }
      std::ostringstream point;
      point << (pen_down ? "L" : "M") << x_of(x) << " " << y_of(y);
      path += point.str();
      pen_down = true;
    }
    if (series.mark == Mark::kLine)
      out_ << "<path class=\"c" << index % kNumColors << "\" d=\"" << path << "\"/>";
    const bool dots = series.mark == Mark::kDots || series.points.size() <= 40;
    const std::string x_name = chart_.x_name.empty() ? "step" : chart_.x_name;
    for (const auto& [x, y] : series.points) {
      if (!std::isfinite(y)) continue;
      out_ << "<circle class=\"c" << index % kNumColors << "\" cx=\"" << x_of(x) << "\" cy=\""
           << y_of(y) << "\" r=\"" << (dots ? 2.5 : 1.2) << "\"><title>" << escape_html(series.name)
           << ", " << escape_html(x_name) << " " << x << ": " << number(y, chart_.unit)
           << "</title></circle>";
    }
  }

  const Chart& chart_;
  Bounds bounds_;
  std::ostringstream out_;
};

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string draw_chart(const Chart& chart) {
  const bool any = std::any_of(chart.series.begin(), chart.series.end(), [](const Series& series) {
    return std::any_of(series.points.begin(), series.points.end(),
                       [](const auto& p) { return std::isfinite(p.second); });
  });
  if (!any) return "";
  std::string out = "<figure><figcaption><b>" + escape_html(chart.title) + "</b> " +
                    escape_html(chart.explanation) + "</figcaption>" + Plot(chart).draw() +
                    "<div class=\"legend\">";
  for (size_t i = 0; i < chart.series.size(); ++i)
    out += "<span><i class=\"c" + std::to_string(i % kNumColors) + "\"></i>" +
           escape_html(chart.series[i].name) + "</span>";
  return out + "</div></figure>\n";
}

std::string chart_style() {
  constexpr std::array<const char*, kNumColors> colors = {
      "#2f6fdb", "#d9622b", "#2a9d5c", "#a447b8", "#b8901a",
      "#17919e", "#c73a5a", "#6b7280", "#8a5a33", "#8fae1b"};
  std::ostringstream out;
  out << "figure{margin:0;padding:12px;border:1px solid "
         "var(--line);border-radius:8px;background:var(--card)}"
         "figcaption{font-size:14px;margin-bottom:6px;color:var(--soft)}figcaption "
         "b{color:var(--ink)}"
         "svg{width:100%;height:auto;display:block}.grid{stroke:var(--line);stroke-width:1}"
         ".marker{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 3}"
         ".tick{font-size:11px;fill:var(--soft)}svg path{fill:none;stroke-width:1.8}"
         ".legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:13px;margin-top:6px}"
         ".legend "
         "i{display:inline-block;width:14px;height:3px;margin-right:5px;vertical-align:middle}";
  for (size_t i = 0; i < colors.size(); ++i) {
    out << "path.c" << i << "{stroke:" << colors[i] << "}circle.c" << i << "{fill:" << colors[i]
        << "}i.c" << i << "{background:" << colors[i] << "}";
  }
  return out.str();
}

}  // namespace covrl
