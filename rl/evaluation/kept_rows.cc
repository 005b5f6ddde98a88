#include "rl/evaluation/kept_rows.h"

#include <filesystem>

#include "core/error.h"

namespace covrl {
namespace fs = std::filesystem;

std::string KeptRows::settings_file(const std::string& set) const {
  return concat(folder_, "/", set, "/settings.json");
}

std::string KeptRows::policies_file(const std::string& set) const {
  return concat(folder_, "/", set, "/policies.json");
}

std::string KeptRows::rows_file(const std::string& set, int64_t step) const {
  return concat(folder_, "/", set, "/global_step_", step, ".jsonl");
}

namespace {

std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

void KeptRows::check(const std::string& set, const Json& settings) const {
  if (policies(set).empty() || !fs::exists(settings_file(set))) return;
  const Json kept = read_json(settings_file(set));
  std::string differences;
  for (const auto& [key, value] : settings.items()) {
    const Json was = kept.value(key, Json());
    if (was != value)
      differences += concat(differences.empty() ? "" : ", ", key, " ", shown(was), " (now ",
                            shown(value), ")");
  }
  if (!differences.empty())
    throw_usage(folder_, "/", set, " holds responses that were made with ", differences,
                "; give another --output, or remove that folder");
}

Json KeptRows::policies(const std::string& set) const {
  return fs::exists(policies_file(set)) ? read_json(policies_file(set)) : Json::object();
}

void KeptRows::begin(const std::string& set) const {
  std::error_code error;
  fs::create_directories(fs::path(settings_file(set)).parent_path(), error);
  if (error)
    throw_usage("--output: cannot make the folder ", folder_, "/", set, ": ", error.message());
}

bool KeptRows::has(const std::string& set, int64_t step) const {
  return fs::exists(rows_file(set, step));
}

bool KeptRows::has(const std::string& set, int64_t step, const std::string& policy) const {
  return has(set, step) && policies(set).value(std::to_string(step), "") == policy;
}

// Interrupted at any place it leaves no rows that are named as those of another policy.
void KeptRows::write(const std::string& set, int64_t step, const std::string& policy,
                     const Json& settings, const std::vector<EvalRow>& rows) const {
  const auto save = [](const std::string& path, const Json& content) {
    write_file_atomically(path, content.dump(1) + "\n");
  };
  Json named = policies(set);
  if (named.erase(std::to_string(step)) > 0) save(policies_file(set), named);
  if (named.empty()) save(settings_file(set), settings);
  write_file_atomically(rows_file(set, step), to_jsonl(rows));
  named[std::to_string(step)] = policy;
  save(policies_file(set), named);
}

void KeptRows::replace(const std::string& set, int64_t step,
                       const std::vector<EvalRow>& rows) const {
  write_file_atomically(rows_file(set, step), to_jsonl(rows));
}

std::vector<EvalRow> KeptRows::read(const std::string& set, int64_t step) const {
  return read_eval_rows(rows_file(set, step));
}

}  // namespace covrl
