#include "rl/commands/jsonl_output.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "core/error.h"

namespace covrl {
namespace fs = std::filesystem;

JsonlOutput::JsonlOutput(const std::string& path, const InputFiles& inputs) : path_(path) {
  if (path.empty()) return;
  check_replaces_none("--output", path, inputs);
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

namespace {

// Neither a file nor one to be.
bool is_device(const std::string& path) {
  return fs::exists(path) && !fs::is_regular_file(path) && !fs::is_directory(path);
}

}  // namespace

void check_output(const std::string& path, const InputFiles& inputs) {
  check_replaces_none("--output", path, inputs);
  const auto refuse = [&](const std::string& why) {
    throw_usage("--output: ", path, " cannot be written: ", why);
  };
  if (fs::is_directory(path)) refuse("it is a folder; name a file");
  if (fs::exists(path) && ::access(path.c_str(), W_OK) != 0) refuse(std::strerror(errno));
  if (is_device(path)) return;
  const fs::path parent = fs::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (!fs::is_directory(folder)) refuse("there is no folder " + folder + "; make it first");
  if (::access(folder.c_str(), W_OK) != 0) refuse(concat(folder, ": ", std::strerror(errno)));
}

void write_output(const std::string& path, const std::string& lines) {
  if (!is_device(path)) return write_file_atomically(fs::weakly_canonical(path).string(), lines);
  std::ofstream out(path, std::ios::binary);
  if (!(out << lines << std::flush)) throw_runtime(path, ": cannot be written");
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
