#include "rl/kept_rows.h"

#include <filesystem>

#include "core/error.h"

namespace covrl {
namespace fs = std::filesystem;

std::string KeptRows::settings_file(const std::string& set) const {
  return concat(folder_, "/", set, "/settings.json");
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
  if (!fs::exists(settings_file(set))) return;
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

void KeptRows::begin(const std::string& set, const Json& settings) const {
  std::error_code error;
  fs::create_directories(fs::path(settings_file(set)).parent_path(), error);
  if (error)
    throw_usage("--output: cannot make the folder ", folder_, "/", set, ": ", error.message());
  if (!fs::exists(settings_file(set)))
    write_file_atomically(settings_file(set), settings.dump(1) + "\n");
}

bool KeptRows::has(const std::string& set, int64_t step) const {
  return fs::exists(rows_file(set, step));
}

void KeptRows::write(const std::string& set, int64_t step, const std::vector<EvalRow>& rows) const {
  std::string lines;
  for (const EvalRow& row : rows)
    lines += to_json(row).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  write_file_atomically(rows_file(set, step), lines);
}

std::vector<EvalRow> KeptRows::read(const std::string& set, int64_t step) const {
  return read_eval_rows(rows_file(set, step));
}

}  // namespace covrl
