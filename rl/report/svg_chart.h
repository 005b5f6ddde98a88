// Line and scatter charts as inline SVG, readable in light and dark: no script, no font or style
// from elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace covrl {

enum class Mark { kLine, kDots };

struct Series {
  std::string name;
  std::vector<std::pair<double, double>>
      points;  // (step, value), by step; non-finite values are gaps
  Mark mark = Mark::kLine;
};

enum class Unit { kPlain, kPercent };  // kPercent: values are fractions

// A vertical line at `x`, where something happened.
struct Marker {
  double x = 0;
  std::string text;
};

struct Chart {
  std::string title;
  std::string explanation;  // one sentence under the title
  Unit unit = Unit::kPlain;
  std::vector<Series> series;
  std::string x_name = "";  // empty: steps
  std::vector<Marker> markers = {};
};

std::string escape_html(const std::string& text);
// <figure> with title, legend and plot; empty when no series has a point.
std::string draw_chart(const Chart& chart);
// CSS that draw_chart's output needs, once a page.
std::string chart_style();

}  // namespace covrl
