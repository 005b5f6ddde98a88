#include "rl/commands/jsonl_output.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "core/error.h"

namespace covrl {

JsonlOutput::JsonlOutput(const std::string& path) : path_(path) {
  if (path.empty()) return;
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) throw_usage("--output: ", path, " cannot be written");
}

void JsonlOutput::write(const Json& row) {
  std::ostream& out = path_.empty() ? std::cout : file_;
  out << row.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) << "\n"
      << std::flush;
  if (!out)
    throw_runtime(path_.empty() ? "stdout" : path_, ": cannot be written; is the disk full?");
}

Json float_json(float value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  *std::to_chars(text, text + sizeof text - 1, value).ptr = '\0';
  return std::strtod(text, nullptr);
}

Json floats_json(const float* values, int64_t count) {
  Json list = Json::array();
  for (int64_t i = 0; i < count; ++i) list.push_back(float_json(values[i]));
  return list;
}

}  // namespace covrl
