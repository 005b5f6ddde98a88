#include "rl/report/solutions_page.h"

#include <algorithm>
#include <map>
#include <set>

#include "rl/report/svg_chart.h"
#include "rollout/degenerate_text.h"

namespace covrl {
namespace {

std::string text_of(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// Rows that were written before there was such a mark are judged by their text.
bool is_degenerate_row(const Json& row) {
  const auto found = row.find("degenerate");
  if (found != row.end() && found->is_boolean()) return found->get<bool>();
  return is_degenerate(text_of(row, "response"));
}

std::string solution(const Json& row) {
  const std::string outcome = text_of(row, "outcome");
  return "<article class=\"" + escape_html(outcome) + "\"><header>step " + text_of(row, "step") +
         " &middot; " + escape_html(outcome) + " &middot; found <code>" +
         escape_html(text_of(row, "extracted")) + "</code>, gold <code>" +
         escape_html(text_of(row, "gold")) + "</code>" +
         (is_degenerate_row(row) ? " &middot; <b>degenerate</b>" : "") +
         "</header><pre class=\"q\">" + escape_html(text_of(row, "prompt")) + "</pre><pre>" +
         escape_html(text_of(row, "response")) + "</pre></article>";
}

// The first row of each step that the example has, in order of steps.
std::map<int64_t, const Json*> first_samples(const std::vector<Json>& rows, const std::string& id) {
  std::map<int64_t, const Json*> by_step;
  for (const Json& row : rows)
    if (text_of(row, "id") == id) by_step.try_emplace(row.value("step", int64_t{0}), &row);
  return by_step;
}

// The example of most steps; of several the first.
std::map<int64_t, const Json*> most_logged(const std::vector<Json>& rows) {
  std::map<std::string, std::set<int64_t>> steps;
  for (const Json& row : rows) steps[text_of(row, "id")].insert(row.value("step", int64_t{0}));
  std::string best;
  for (const Json& row : rows)
    if (const std::string id = text_of(row, "id");
        best.empty() || steps[id].size() > steps[best].size())
      best = id;
  return first_samples(rows, best);
}

}  // namespace

std::string solutions(const std::vector<Json>& rows, const std::string& title, size_t limit) {
  if (rows.empty()) return "";
  std::string out = "<h2>" + escape_html(title) + "</h2><div class=\"solutions\">";
  for (const std::string& step : {text_of(rows.front(), "step"), text_of(rows.back(), "step")}) {
    std::vector<const Json*> shown, again;
    std::set<std::string> prompts;
    for (const Json& row : rows)
      if (text_of(row, "step") == step)
        (prompts.insert(text_of(row, "prompt")).second ? shown : again).push_back(&row);
    shown.insert(shown.end(), again.begin(), again.end());
    for (size_t i = 0; i < std::min(limit, shown.size()); ++i) out += solution(*shown[i]);
    if (text_of(rows.front(), "step") == text_of(rows.back(), "step")) break;
  }
  return out + "</div>\n";
}

std::vector<const Json*> chosen_responses(const std::vector<Json>& rows,
                                          std::optional<int64_t> saturated_since) {
  const std::map<int64_t, const Json*> by_step = most_logged(rows);
  if (by_step.empty()) return {};
  const int64_t first = by_step.begin()->first, last = by_step.rbegin()->first;
  std::vector<int64_t> wanted;
  for (int64_t quarter = 0; quarter <= 4; ++quarter)
    wanted.push_back(first + (last - first) * quarter / 4);
  if (saturated_since) wanted.push_back(*saturated_since);
  std::map<int64_t, const Json*> chosen;
  for (const int64_t step : wanted) {
    const auto at = by_step.lower_bound(step);  // that step, or the next one that was logged
    if (at != by_step.end()) chosen.insert(*at);
  }
  std::vector<const Json*> responses;
  for (const auto& [step, row] : chosen) responses.push_back(row);
  return responses;
}

std::string responses_over_time(const std::vector<Json>& rows,
                                std::optional<int64_t> saturated_since, const std::string& title) {
  const std::vector<const Json*> responses = chosen_responses(rows, saturated_since);
  if (responses.size() < 2) return "";
  std::string out = "<h2>" + escape_html(title) + "</h2><p>Training example " +
                    escape_html(text_of(*responses.front(), "id")) + ", its first sample.";
  if (saturated_since)
    out += " The run is saturated since step " + std::to_string(*saturated_since) + ".";
  out += "</p><div class=\"solutions\">";
  for (const Json* row : responses) out += solution(*row);
  return out + "</div>\n";
}

}  // namespace covrl
