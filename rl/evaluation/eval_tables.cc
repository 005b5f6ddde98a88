#include "rl/evaluation/eval_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <set>

#include "core/error.h"
#include "rl/figure_text.h"
#include "rl/report/report_tables.h"

namespace covrl {

namespace {

std::string interval(double low, double high, const char* format) {
  return figure(format, 100 * low) + " to " + figure(format, 100 * high);
}

// One line of the tables.
struct Line {
  const EvalResult& result;
  Decoding decoding;
  const ResponseStatistics& statistics;
};

std::vector<Line> lines_of(const std::vector<EvalResult>& results) {
  std::vector<Line> lines;
  for (const EvalResult& result : results) {
    if (result.sampled) lines.push_back({result, Decoding::kSampled, *result.sampled});
    if (result.greedy) lines.push_back({result, Decoding::kGreedy, *result.greedy});
  }
  return lines;
}

struct Column {
  std::string name;
  std::function<std::string(const Line&)> cell;
};

std::string samples_cell(const Line& line) {
  return line.decoding == Decoding::kGreedy ? "greedy"
                                            : std::to_string(line.statistics.num_samples);
}

// What says which line it is.
std::vector<Column> name_columns(const std::vector<EvalResult>& results, const std::string& by) {
  std::set<std::string> checkpoints;
  bool has_steps = false;
  for (const EvalResult& result : results) {
    checkpoints.insert(result.checkpoint);
    has_steps = has_steps || result.step.has_value();
  }
  std::vector<Column> columns = {{"benchmark", [](const Line& line) { return line.result.name; }}};
  if (has_steps)
    columns.push_back({"step", [](const Line& line) {
                         return line.result.step ? std::to_string(*line.result.step) : "-";
                       }});
  if (checkpoints.size() > 1)
    columns.push_back({"checkpoint", [](const Line& line) { return line.result.checkpoint; }});
  if (!by.empty()) columns.push_back({by, [](const Line& line) { return line.result.group; }});
  columns.push_back({"samples", samples_cell});
  return columns;
}

std::vector<Column> accuracy_columns(const std::vector<Line>& lines) {
  std::vector<Column> columns = {
      {"problems", [](const Line& line) { return std::to_string(line.result.num_problems); }},
      {"accuracy", [](const Line& line) { return percent(line.statistics.accuracy); }},
      {"95 % interval", [](const Line& line) {
         return interval(line.statistics.low, line.statistics.high, "%.1f");
       }}};
  std::set<int64_t> sizes;
  for (const Line& line : lines)
    for (const auto& [k, pass] : line.statistics.pass)
      if (k > 1) sizes.insert(k);
  for (const int64_t size : sizes)
    columns.push_back({concat("pass@", size), [size](const Line& line) {
                         for (const auto& [k, pass] : line.statistics.pass)
                           if (k == size) return percent(pass);
                         return std::string();
                       }});
  if (!sizes.empty())
    columns.push_back({"majority", [](const Line& line) {
                         return line.statistics.num_samples > 1 ? percent(line.statistics.majority)
                                                                : std::string();
                       }});
  return columns;
}

std::vector<Column> response_columns(const std::vector<Line>& lines) {
  using S = ResponseStatistics;
  const auto share = [](double S::*field) {
    return [field](const Line& line) { return percent(line.statistics.*field); };
  };
  const auto count = [](int64_t S::*field) {
    return [field](const Line& line) { return std::to_string(line.statistics.*field); };
  };
  const auto tokens = [](double S::*field) {
    return [field](const Line& line) { return figure("%.1f", line.statistics.*field); };
  };
  std::vector<Column> columns = {{"counted", count(&S::num_responses)},
                                 {"tokens", tokens(&S::length)},
                                 {"at 90 %", tokens(&S::length_90)},
                                 {"answer", share(&S::parsed)},
                                 {"box", share(&S::boxed)},
                                 {"cut off", share(&S::truncated)},
                                 {"reflects", share(&S::reflection)}};
  if (std::ranges::any_of(lines, [](const Line& line) { return line.statistics.degenerate > 0; }))
    columns.push_back({"degenerate", share(&S::degenerate)});
  columns.push_back(
      {"entropy", [](const Line& line) { return figure("%.4f", line.statistics.entropy); }});
  if (std::ranges::any_of(lines, [](const Line& line) { return line.statistics.num_failed > 0; }))
    columns.push_back({"failed", count(&S::num_failed)});
  return columns;
}

std::string table_text(const std::vector<Line>& lines, std::vector<Column> columns,
                       const std::vector<Column>& more) {
  columns.insert(columns.end(), more.begin(), more.end());
  ReportTable table;
  for (const Column& column : columns) table.columns.push_back(column.name);
  for (const Line& line : lines) {
    std::vector<std::string>& row = table.rows.emplace_back();
    for (const Column& column : columns) row.push_back(column.cell(line));
  }
  return to_text(table);
}

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// "  only in A: 3 (x, y, z)"; at most the first few ids.
std::string ids_note(const std::string& what, const std::vector<std::string>& ids) {
  constexpr size_t kShown = 5;
  if (ids.empty()) return "";
  std::string text = concat("  ", what, ": ", ids.size(), " (");
  for (size_t i = 0; i < std::min(kShown, ids.size()); ++i) text += (i > 0 ? ", " : "") + ids[i];
  return text + (ids.size() > kShown ? ", ...)\n" : ")\n");
}

std::string notes(const Comparison& comparison) {
  const std::string text =
      ids_note("only in A", comparison.only_a) + ids_note("only in B", comparison.only_b) +
      ids_note("no response that counts", comparison.unusable) +
      ids_note("compared although the gold answers differ", comparison.other_gold);
  if (text.empty()) return "";
  return concat(comparison.benchmark, ", ", decoding_name(comparison.decoding), ":\n", text);
}

const EvalResult* find(const std::vector<EvalResult>& results, const std::string& name) {
  for (const EvalResult& result : results)
    if (result.name == name) return &result;
  return nullptr;
}

using ValueOf = std::function<double(const EvalResult&)>;

std::string change_cell(const EvalResult& after, const EvalResult* before, const ValueOf& value) {
  const std::string now = figure("%5.1f %%", 100 * value(after));
  if (before == nullptr || !std::isfinite(value(*before))) return now;
  return figure("%5.1f -> ", 100 * value(*before)) + now;
}

}  // namespace

std::string progress_table(const std::vector<EvalResult>& before,
                           const std::vector<EvalResult>& after) {
  std::set<int64_t> sizes;
  bool has_greedy = false;
  for (const EvalResult& result : after) {
    if (result.sampled) sizes.insert(result.sampled->num_samples);
    has_greedy = has_greedy || result.greedy;
  }
  const std::string k = sizes.size() == 1 ? std::to_string(*sizes.begin()) : "k";
  std::string out;
  char line[256];
  std::snprintf(line, sizeof line, "  %-16s %8s  %-18s %-18s %-18s %s\n", "set", "problems",
                sizes.empty() ? "" : ("mean@" + k).c_str(),
                sizes.empty() ? "" : ("pass@" + k).c_str(), has_greedy ? "greedy" : "",
                "answer found");
  out += line;
  for (const EvalResult& result : after) {
    const EvalResult* old = find(before, result.name);
    const auto show = [&](bool wanted, const ValueOf& value) {
      return wanted ? change_cell(result, old, value) : std::string();
    };
    const bool sampled = result.sampled.has_value();
    const std::string cells[] = {
        show(sampled, [](const EvalResult& r) { return r.sampled->accuracy; }),
        show(sampled, [](const EvalResult& r) { return r.sampled->pass_at_all(); }),
        show(result.greedy.has_value(), [](const EvalResult& r) { return r.greedy->accuracy; }),
        show(true, [](const EvalResult& r) { return r.main().parsed; })};
    std::snprintf(line, sizeof line, "  %-16s %8lld  %-18s %-18s %-18s %s\n", result.name.c_str(),
                  static_cast<long long>(result.num_problems), cells[0].c_str(), cells[1].c_str(),
                  cells[2].c_str(), cells[3].c_str());
    out += line;
  }
  return out;
}

std::string result_tables(const std::vector<EvalResult>& results, const std::string& by) {
  const std::vector<Line> lines = lines_of(results);
  const std::vector<Column> names = name_columns(results, by);
  return table_text(lines, names, accuracy_columns(lines)) + "\n" +
         table_text(lines, names, response_columns(lines));
}

std::vector<Json> result_rows(const std::vector<EvalResult>& results, const std::string& by) {
  std::vector<Json> rows;
  for (const Line& line : lines_of(results)) {
    const ResponseStatistics& statistics = line.statistics;
    Json& row = rows.emplace_back(Json::object());
    row["benchmark"] = line.result.name;
    if (line.result.step) row["step"] = *line.result.step;
    if (!line.result.checkpoint.empty()) row["checkpoint"] = line.result.checkpoint;
    if (!by.empty()) row["by"] = by, row["group"] = line.result.group;
    row["decoding"] = decoding_name(line.decoding);
    row["problems"] = line.result.num_problems;
    row["samples"] = statistics.num_samples;
    row["accuracy"] = finite(statistics.accuracy);
    row["low"] = finite(statistics.low);
    row["high"] = finite(statistics.high);
    for (const auto& [k, pass] : statistics.pass) row["pass"][std::to_string(k)] = finite(pass);
    row["majority"] = finite(statistics.majority);
    row["responses"] = statistics.num_responses;
    row["failed"] = statistics.num_failed;
    row["length"] = finite(statistics.length);
    row["length_90"] = finite(statistics.length_90);
    row["parsed"] = finite(statistics.parsed);
    row["boxed"] = finite(statistics.boxed);
    row["truncated"] = finite(statistics.truncated);
    row["reflection"] = finite(statistics.reflection);
    row["degenerate"] = finite(statistics.degenerate);
    row["entropy"] = finite(statistics.entropy);
  }
  return rows;
}

std::string comparison_table(const std::vector<Comparison>& comparisons) {
  ReportTable table;
  table.columns = {"benchmark", "responses",     "problems", "A",    "B",
                   "B - A",     "95 % interval", "won",      "lost", "p"};
  std::string below;
  for (const Comparison& comparison : comparisons) {
    below += notes(comparison);
    if (comparison.num_problems == 0) continue;
    table.rows.push_back(
        {comparison.benchmark, decoding_name(comparison.decoding),
         std::to_string(comparison.num_problems), percent(comparison.accuracy_a),
         percent(comparison.accuracy_b), figure("%+.1f %%", 100 * comparison.difference),
         interval(comparison.low, comparison.high, "%+.1f"), std::to_string(comparison.won),
         std::to_string(comparison.lost), figure("%.2g", comparison.p_value)});
  }
  if (table.rows.empty()) return "No problem is in both.\n" + below;
  return to_text(table) + (below.empty() ? "" : "\n" + below);
}

Json to_json(const Comparison& comparison) {
  Json row = {{"benchmark", comparison.benchmark},
              {"decoding", decoding_name(comparison.decoding)},
              {"problems", comparison.num_problems}};
  if (comparison.num_problems > 0) {
    row["accuracy_a"] = comparison.accuracy_a;
    row["accuracy_b"] = comparison.accuracy_b;
    row["difference"] = comparison.difference;
    row["low"] = comparison.low;
    row["high"] = comparison.high;
    row["won"] = comparison.won;
    row["lost"] = comparison.lost;
    row["p"] = comparison.p_value;
  }
  row["only_a"] = comparison.only_a;
  row["only_b"] = comparison.only_b;
  row["unusable"] = comparison.unusable;
  row["other_gold"] = comparison.other_gold;
  return row;
}

}  // namespace covrl
