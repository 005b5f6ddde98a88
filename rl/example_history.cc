#include "rl/example_history.h"

#include <filesystem>
#include <unordered_map>

#include "core/error.h"

namespace covrl {
namespace {

std::vector<ExampleHistory> read_own_log(const std::string& path) {
  std::vector<ExampleHistory> histories;
  std::unordered_map<std::string, size_t> places;
  read_log(path, [&](int64_t line, const Json& row) {
    const std::string where = concat(path, ":", line), id = get_string(row, "id", where);
    const int64_t correct = get_int(row, "correct", where),
                  counted = get_int(row, "counted", where);
    if (correct < 0 || correct > counted)
      throw_usage(where, ": \"correct\" is ", correct, " of \"counted\" ", counted);
    const auto [place, is_new] = places.try_emplace(id, histories.size());
    if (is_new) histories.push_back({id, {}});
    if (counted > 0)
      histories[place->second].accuracy.push_back(static_cast<double>(correct) /
                                                  static_cast<double>(counted));
  });
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
