#include "rl/example_history.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/step_log.h"

namespace covrl {
namespace {

// A line of the log.
struct Observation {
  int64_t step = 0;  // of lines that name none: they stay in their order
  std::string id, where;
  int64_t correct = 0, counted = 0;
};

// The row's id is text, or a number as in the rows of problem files.
std::string id_of(const Json& row, const std::string& where) {
  const auto id = row.find("id");
  return id != row.end() && id->is_number_integer() ? id->dump() : get_string(row, "id", where);
}

Observation parse_observation(const Json& row, const std::string& where) {
  Observation seen;
  if (row.contains("step")) seen.step = get_int(row, "step", where);
  seen.id = id_of(row, where);
  seen.where = where;
  seen.correct = get_int(row, "correct", where);
  seen.counted = get_int(row, "counted", where);
  if (seen.correct < 0 || seen.correct > seen.counted)
    throw_usage(where, ": \"correct\" is ", seen.correct, " of \"counted\" ", seen.counted);
  return seen;
}

// Lines in order of their steps, whatever their order in the file.
std::vector<Observation> read_observations(const std::string& path) {
  std::vector<Observation> log;
  std::set<std::pair<std::string, int64_t>> known;
  read_log(path, [&](int64_t line, const Json& row) {
    log.push_back(parse_observation(row, concat(path, ":", line)));
    const Observation& seen = log.back();
    if (row.contains("step") && !known.emplace(seen.id, seen.step).second)
      throw_usage(seen.where, ": example '", seen.id, "' has a second line of step ", seen.step,
                  "; are these two runs in one file?");
  });
  std::stable_sort(log.begin(), log.end(),
                   [](const Observation& a, const Observation& b) { return a.step < b.step; });
  return log;
}

std::vector<ExampleHistory> read_own_log(const std::string& path) {
  std::vector<ExampleHistory> histories;
  std::unordered_map<std::string, size_t> places;
  for (const Observation& seen : read_observations(path)) {
    const auto [place, is_new] = places.try_emplace(seen.id, histories.size());
    if (is_new) histories.push_back({seen.id, {}});
    if (seen.counted > 0)
      histories[place->second].accuracy.push_back(static_cast<double>(seen.correct) /
                                                  static_cast<double>(seen.counted));
  }
  return histories;
}

double read_accuracy(const Json& value, const std::string& where) {
  if (!value.is_number() || !(value >= 0.0 && value <= 1.0))
    throw_usage(where, " holds ", value.dump(), "; an accuracy is a number in [0, 1]");
  return value.get<double>();
}

std::vector<ExampleHistory> read_published(const std::string& path) {
  const Json object = read_json(path);
  if (!object.is_object())
    throw_usage(path, ": must be an object {\"id\": [accuracy, ...], ...}, got ",
                object.type_name());
  std::vector<ExampleHistory> histories;
  for (const auto& [id, values] : object.items()) {
    const std::string where = concat(path, ": the history of \"", id, "\"");
    if (!values.is_array())
      throw_usage(where, " must be a list of accuracies, got ", values.type_name());
    histories.push_back({id, {}});
    for (const Json& value : values)
      histories.back().accuracy.push_back(read_accuracy(value, where));
  }
  return histories;
}

}  // namespace

void ExampleLog::write(int64_t step, const std::vector<Group>& groups) {
  struct Count {
    int64_t correct = 0, counted = 0;
  };
  std::vector<std::string> order;
  std::unordered_map<std::string, Count> counts;
  for (const Group& group : groups) {
    const auto [entry, is_new] = counts.try_emplace(group.prompt.id);
    if (is_new) order.push_back(group.prompt.id);
    for (const Trajectory& trajectory : group.trajectories) {
      if (!is_usable(trajectory)) continue;
      ++entry->second.counted;
      entry->second.correct += trajectory.verdict.outcome == Outcome::kCorrect;
    }
  }
  for (const std::string& id : order)
    log_.add({{"step", step},
              {"id", id},
              {"correct", counts[id].correct},
              {"counted", counts[id].counted}});
  log_.flush();
}

std::vector<ExampleHistory> read_example_histories(const std::string& path) {
  const bool is_folder = std::filesystem::is_directory(path);
  const std::string file = is_folder ? path + "/example_accuracy.jsonl" : path;
  if (is_folder && !std::filesystem::exists(file))
    throw_usage(path,
                ": no example_accuracy.jsonl in it, so it is not a run folder of covrl train "
                "(or its first step is not over)");
  std::vector<ExampleHistory> histories = std::filesystem::path(file).extension() == ".jsonl"
                                              ? read_own_log(file)
                                              : read_published(file);
  if (histories.empty()) throw_usage(file, ": holds no example");
  return histories;
}

}  // namespace covrl
