#include "rl/sweep/sweep_page.h"

#include <filesystem>

#include "core/joined.h"
#include "rl/report/html_page.h"
#include "rl/report/svg_chart.h"

namespace covrl {
namespace {

std::string page_title(const std::vector<SweepResult>& results) {
  const SweepSection& first = results.front().section;
  return results.size() == 1 || first.page_title.empty() ? first.title : first.page_title;
}

// Text whose empty lines end paragraphs.
std::vector<std::string> paragraphs(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find("\n\n", begin), text.size());
    std::string part = text.substr(begin, end - begin);
    while (!part.empty() && part.back() == '\n') part.pop_back();
    if (!part.empty()) parts.push_back(std::move(part));
    begin = end + 2;
  }
  return parts;
}

std::string html_paragraphs(const std::string& text) {
  std::string out;
  for (const std::string& part : paragraphs(text)) out += "<p>" + escape_html(part) + "</p>\n";
  return out;
}

std::string chart(const SweepResult& result, const std::string& title,
                  const std::string& explanation, Unit unit, const std::string& metric) {
  Chart chart{title, explanation, unit, {}};
  for (const VariantResult& variant : result.variants)
    if (auto points = mean_curve(variant, metric); !points.empty())
      chart.series.push_back({variant.variant.shown_name(), std::move(points)});
  return draw_chart(chart);
}

std::string charts(const SweepResult& result) {
  std::string out = "<div class=\"charts\">";
  for (const std::string& metric : headline_metrics(result))
    out += chart(result, accuracy_name(metric) + ".",
                 "Accuracy on problems that are not trained on.", Unit::kPercent, metric);
  out += chart(result, "Reward.", "Of the training completions of each step.", Unit::kPlain,
               "critic/rewards/mean");
  out += chart(result, "Entropy.",
               "Nats a token of the training completions: how undecided the model is.",
               Unit::kPlain, "rollout/entropy");
  return out + "</div>\n";
}

std::string run_link(const SweepRun& run) {
  const std::string seed = std::to_string(run.seed);
  return " <a href=\"" + run.variant + "/seed_" + seed + "/report.html\">seed " + seed + "</a>";
}

// What makes each variant, and the pages of its runs.
std::string variants_list(const SweepResult& result) {
  std::string out = "<ul>";
  if (!result.overrides.empty())
    out += "<li>All variants, by the command line: <code>" + escape_html(joined(result.overrides)) +
           "</code></li>";
  for (const VariantResult& variant : result.variants) {
    std::vector<std::string> changes = variant.variant.config;
    changes.insert(changes.end(), variant.variant.set.begin(), variant.variant.set.end());
    out += "<li>" + escape_html(variant.variant.shown_name()) + ": <code>" +
           escape_html(changes.empty() ? "the configuration as it is" : joined(changes)) +
           "</code>";
    for (const SweepRun& run : variant.runs) out += run_link(run);
    for (const AlarmEnd& end : variant.alarm_ends)
      out += run_link(end.run) + " (ended by an alarm)";
    out += "</li>";
  }
  return out + "</ul>\n";
}

std::string section_html(const SweepResult& result) {
  const SweepSection& section = result.section;
  std::string out = html_paragraphs(section.question);
  if (!section.published.empty())
    out += "<p><strong>Published:</strong> " + escape_html(section.published) + "</p>\n";
  out += to_html(headline_table(result)) + "<ul>";
  for (const std::string& note : result_notes(result)) out += "<li>" + escape_html(note) + "</li>";
  out += "</ul>\n" + charts(result);
  out += "<details><summary>Every measure</summary>" + to_html(measures_table(result)) +
         "<p>The last training step:</p>" + to_html(training_table(result)) + "</details>\n";
  return out + "<details><summary>Settings, and the page of each run</summary>" +
         variants_list(result) + "</details>\n";
}

std::string section_markdown(const SweepResult& result) {
  const SweepSection& section = result.section;
  std::string out;
  for (const std::string& part : paragraphs(section.question)) out += part + "\n\n";
  if (!section.published.empty()) out += "Published: " + section.published + "\n\n";
  out += to_markdown(headline_table(result));
  for (const std::string& note : result_notes(result)) out += "- " + note + "\n";
  return out + "\nThe last training step:\n\n" + to_markdown(training_table(result));
}

}  // namespace

std::string sweep_html(const std::vector<SweepResult>& results) {
  const std::string title = page_title(results);
  std::string out = "<h1>" + escape_html(title) + "</h1>\n" +
                    html_paragraphs(results.front().section.introduction);
  if (results.size() > 1) {
    out += "<ol>";
    for (const SweepResult& result : results)
      out += "<li><a href=\"#" + result.section.name + "\">" + escape_html(result.section.title) +
             "</a></li>";
    out += "</ol>\n";
  }
  for (const SweepResult& result : results) {
    if (results.size() > 1)
      out +=
          "<h2 id=\"" + result.section.name + "\">" + escape_html(result.section.title) + "</h2>\n";
    out += section_html(result);
  }
  return html_page(title, out);
}

std::string sweep_markdown(const std::vector<SweepResult>& results) {
  std::string out = "# " + page_title(results) + "\n\n";
  for (const std::string& part : paragraphs(results.front().section.introduction))
    out += part + "\n\n";
  for (const SweepResult& result : results) {
    if (results.size() > 1) out += "## " + result.section.title + "\n\n";
    out += section_markdown(result);
  }
  return out;
}

}  // namespace covrl
