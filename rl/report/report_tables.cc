#include "rl/report/report_tables.h"

#include <algorithm>
#include <optional>
#include <set>

#include "entropy/ceiling.h"
#include "rl/entropy_watch.h"
#include "rl/evaluation/best_step.h"
#include "rl/figure_text.h"
#include "rl/report/svg_chart.h"

namespace covrl {
namespace {

// The last step is where the run ended; a metric is looked up in the steps that have it.
struct Place {
  const RunData* run = nullptr;
  size_t index = 0;
};

std::vector<Place> places_of(const RunData& run, const std::string& name) {
  std::vector<Place> places;
  for (size_t i = 0; i < run.metrics.size(); ++i)
    if (run.metrics[i].second.find(name) != nullptr) places.push_back({&run, i});
  return places;
}

double value_at(const Place& place, const std::string& name) {
  return place.run->metrics[place.index].second.at(name);
}

// "value +- deviation", the deviation only where runs differ.
std::string value_cell(const Place& place, const std::string& name, double scale, int digits,
                       const std::string& unit) {
  const double deviation = place.run->spread[place.index].second.at(name);
  return with_deviation(scale * value_at(place, name),
                        deviation > 0 ? std::optional(scale * deviation) : std::nullopt, digits,
                        unit);
}

std::string percent_cell(const Place& place, const std::string& name) {
  return value_cell(place, name, 100, 1, " %");
}

// "52.0 % (step 40)"
std::string at_step(const Place& place, const std::string& name) {
  return percent_cell(place, name) + " (step " +
         std::to_string(place.run->metrics[place.index].first) + ")";
}

Place best_of(const std::vector<Place>& places, const std::string& name) {
  std::vector<std::pair<int64_t, double>> results;
  for (const Place& place : places)
    results.emplace_back(place.run->metrics[place.index].first, value_at(place, name));
  return places[best_place(results)];
}

// The law's columns, or why there is none.
std::vector<std::string> law_cells(const RunData& run, const std::string& accuracy) {
  EntropyWatch watch(accuracy);
  watch.replay(run.metrics);
  const std::vector<LawPoint>& points = watch.points();
  const LawFit fit = fit_law(points);
  if (const std::string reason = fit.reason_for_silence(); !reason.empty())
    return {reason, "", "", "", ""};
  const EarlyPrediction early = predict_from_first(points, num_first_points(points.size(), 0.15));
  const Estimate ceiling = fit.ceiling();
  return {with_deviation(fit.a.value, fit.a.standard_error, 2),
          with_deviation(fit.b.value, fit.b.standard_error, 2), figure(fit.r_squared, 3),
          with_deviation(100 * ceiling.value, 100 * ceiling.standard_error, 1, " %"),
          percent(early.final_reward.value) + " / " + percent(early.actual)};
}

}  // namespace

std::string accuracy_name(const std::string& metric) {
  const size_t begin = metric.find('/') + 1, middle = metric.find("/acc/", begin);
  return metric.substr(begin, middle - begin) + ", " + metric.substr(middle + 5);
}

std::vector<std::string> metric_names(const std::vector<RunData>& runs, const std::string& prefix,
                                      const std::string& part) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const RunData& run : runs)
    for (const auto& [step, metrics] : run.metrics)
      for (const auto& [name, value] : metrics.entries())
        if (name.compare(0, prefix.size(), prefix) == 0 && name.find(part) != std::string::npos &&
            seen.insert(name).second)
          names.push_back(name);
  return names;
}

ReportTable accuracy_table(const std::vector<RunData>& runs) {
  ReportTable table{"Before and after",
                    {"run", "set", "measure", "before", "last step", "best step"},
                    {},
                    "The best step of each row was chosen by that very row, after the fact: its "
                    "figure is too good. Report the last step, or choose the step on another set."};
  for (const RunData& run : runs)
    for (const std::string& name : metric_names({run}, "val-core/", "/acc/")) {
      const std::vector<Place> places = places_of(run, name);
      const Place best = best_of(places, name);
      const std::string shown = accuracy_name(name);
      const size_t comma = shown.find(", ");
      table.rows.push_back({run.name, shown.substr(0, comma), shown.substr(comma + 2),
                            percent_cell(places.front(), name), at_step(places.back(), name),
                            at_step(best, name)});
    }
  return table;
}

ReportTable entropy_table(const std::vector<RunData>& runs) {
  const std::string entropy = "rollout/entropy";
  ReportTable table{"Entropy and the law R = -a e^H + b",
                    {"run", "entropy at first", "entropy at last", "accuracy at last", "a", "b",
                     "R²", "ceiling", "predicted from the start / actual"},
                    {}};
  for (const RunData& run : runs) {
    const std::vector<Place> entropies = places_of(run, entropy);
    const std::vector<std::string> accuracies = metric_names({run}, "val-core/", "/acc/mean@");
    if (entropies.empty() || accuracies.empty()) continue;
    const std::string& accuracy = accuracies.front();
    std::vector<std::string> row = {
        run.name, value_cell(entropies.front(), entropy, 1, 4, ""),
        value_cell(entropies.back(), entropy, 1, 4, ""),
        accuracy_name(accuracy) + ": " + percent_cell(places_of(run, accuracy).back(), accuracy)};
    for (std::string& cell : law_cells(run, accuracy)) row.push_back(std::move(cell));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string to_html(const ReportTable& table) {
  if (table.rows.empty()) return "";
  std::string out = table.title.empty() ? "" : "<h2>" + escape_html(table.title) + "</h2>";
  out += "<table><tr>";
  for (const std::string& column : table.columns) out += "<th>" + escape_html(column) + "</th>";
  out += "</tr>";
  for (const std::vector<std::string>& row : table.rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += "<td>" + escape_html(cell) + "</td>";
    out += "</tr>";
  }
  out += "</table>\n";
  return table.note.empty() ? out : out + "<p>" + escape_html(table.note) + "</p>\n";
}

std::string to_markdown(const ReportTable& table) {
  if (table.rows.empty()) return "";
  const auto line = [](const std::vector<std::string>& cells) {
    std::string out = "|";
    for (const std::string& cell : cells) out += " " + cell + " |";
    return out + "\n";
  };
  std::string out = table.title.empty() ? "" : "## " + table.title + "\n\n";
  out += line(table.columns) + "|";
  for (size_t i = 0; i < table.columns.size(); ++i) out += "---|";
  out += "\n";
  for (const std::vector<std::string>& row : table.rows) out += line(row);
  return out + "\n" + (table.note.empty() ? "" : table.note + "\n\n");
}

std::string to_text(const ReportTable& table) {
  if (table.rows.empty()) return "";
  std::vector<std::vector<std::string>> lines = {table.columns};
  lines.insert(lines.end(), table.rows.begin(), table.rows.end());
  std::vector<size_t> widths(table.columns.size(), 0);
  for (const std::vector<std::string>& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string out;
  for (const std::vector<std::string>& line : lines) {
    std::string text = line[0] + std::string(widths[0] - line[0].size(), ' ');
    for (size_t i = 1; i < line.size(); ++i)
      text += "  " + std::string(widths[i] - line[i].size(), ' ') + line[i];
    out += text.erase(text.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

}  // namespace covrl
