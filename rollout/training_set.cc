#include "rollout/training_set.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/cli.h"
#include "core/error.h"
#include "rollout/label_noise.h"
#include "rollout/prompt_source.h"

namespace covrl {
namespace {

[[noreturn]] void unknown_id(const std::string& key, const std::string& id,
                             const std::vector<Prompt>& rows, const DataConfig& config) {
  std::vector<std::string> known;
  for (const Prompt& prompt : rows) known.push_back(prompt.id);
  const std::string near = cli::nearest(id, known);
  std::string files;
  for (const std::string& file : config.train_files) files += (files.empty() ? "" : ", ") + file;
  const bool chosen = key != "ids" && !config.ids.empty();
  throw_usage("data.", key, ": no row of ", files, chosen ? " that data.ids chooses" : "",
              " has the id '", id, "'; ", rows.size(), " rows with ids like '",
              near.empty() ? known.front() : near, "'");
}

// Calls `change` for every row of each id.
void change_rows(const char* key, const std::vector<std::string>& changes,
                 std::vector<Prompt>& rows, const DataConfig& config,
                 const std::function<void(Prompt&, const std::string&)>& change) {
  for (const IdText& one : parse_id_texts(changes)) {
    bool found = false;
    for (Prompt& prompt : rows) {
      if (prompt.id != one.id) continue;
      change(prompt, one.text);
      found = true;
    }
    if (!found) unknown_id(key, one.id, rows, config);
  }
}

using Labels = std::vector<std::string>;  // of each row

// Problems whose label the noise made wrong, and data.labels is to give.
int64_t num_given(const Labels& before, const std::vector<Prompt>& rows, const DataConfig& config) {
  std::set<std::string> changed;
  for (size_t i = 0; i < rows.size(); ++i)
    if (before[i] != rows[i].gold) changed.insert(rows[i].id);
  const std::vector<IdText> labels = parse_id_texts(config.labels);
  return std::count_if(labels.begin(), labels.end(),
                       [&](const IdText& label) { return changed.count(label.id) > 0; });
}

std::string noise_note(const LabelNoiseCounts& counts, int64_t num_given,
                       const DataConfig& config) {
  std::string note =
      concat("Labels:   ", counts.num_wrong - num_given, " of ", counts.num_problems,
             " problems have a wrong one (data.label_noise, seed ", config.label_noise_seed, ")");
  if (num_given > 0) note += concat("; drawn too, but given by data.labels: ", num_given);
  if (counts.num_without_number > 0)
    note += concat("; ", counts.num_without_number, " hold no number and are as they were");
  return note;
}

// "124: 12.8 -> 4", of the first few changes.
std::string examples_of_changes(const Labels& before, const std::vector<Prompt>& rows) {
  constexpr size_t kShown = 3;
  std::map<std::string, std::string> shown;
  for (size_t i = 0; i < rows.size() && shown.size() < kShown; ++i)
    if (before[i] != rows[i].gold)
      shown.emplace(rows[i].id, concat(rows[i].id, ": ", before[i], " -> ", rows[i].gold));
  std::string text;
  for (const auto& [id, change] : shown) text += (text.empty() ? "" : ", ") + change;
  return text;
}

}  // namespace

std::vector<Prompt> choose_problems(const std::vector<Prompt>& rows, const DataConfig& config) {
  if (config.ids.empty()) return rows;
  const std::vector<int64_t> shares = parse_shares(config);
  std::vector<Prompt> chosen;
  for (size_t i = 0; i < config.ids.size(); ++i) {
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const Prompt& prompt) { return prompt.id == config.ids[i]; });
    if (row == rows.end()) unknown_id("ids", config.ids[i], rows, config);
    chosen.insert(chosen.end(), static_cast<size_t>(shares[i]), *row);
  }
  return chosen;
}

void change_prompts(std::vector<Prompt>& rows, const DataConfig& config) {
  change_rows("prompts", config.prompts, rows, config, [](Prompt& prompt, const std::string& text) {
    if (prompt.messages.empty()) {
      prompt.text = text;
      return;
    }
    const auto user = std::find_if(prompt.messages.rbegin(), prompt.messages.rend(),
                                   [](const Message& message) { return message.role == "user"; });
    if (user == prompt.messages.rend())
      throw_usage("data.prompts: the row with id '", prompt.id, "' has no user message to replace");
    user->content = text;
  });
}

void change_labels(std::vector<Prompt>& rows, const DataConfig& config) {
  change_rows("labels", config.labels, rows, config,
              [](Prompt& prompt, const std::string& label) { prompt.gold = label; });
}

TrainingSet read_training_set(const DataConfig& config) {
  TrainingSet set;
  read_problems(config.train_files, config,
                [&](Prompt&& prompt, const Json&) { set.rows.push_back(std::move(prompt)); });
  if (!config.ids.empty()) {
    const size_t num_rows = set.rows.size();
    set.rows = choose_problems(set.rows, config);
    set.notes.push_back(
        concat("Chosen:   ", config.ids.size(), " of ", num_rows, " rows by data.ids"));
  }
  change_prompts(set.rows, config);
  if (!config.prompts.empty())
    set.notes.push_back(concat("Prompts:  ", config.prompts.size(), " replaced by data.prompts"));
  Labels before;
  for (const Prompt& prompt : set.rows) before.push_back(prompt.gold);
  if (config.label_noise > 0) {
    const LabelNoiseCounts counts = add_label_noise(set.rows, config.label_noise,
                                                    static_cast<uint64_t>(config.label_noise_seed));
    set.notes.push_back(noise_note(counts, num_given(before, set.rows, config), config));
  }
  change_labels(set.rows, config);
  if (const std::string changes = examples_of_changes(before, set.rows); !changes.empty())
    set.notes.push_back("Changed:  " + changes);
  return set;
}

}  // namespace covrl
