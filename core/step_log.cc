#include "core/step_log.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "core/error.h"
#include "core/json_rows.h"

namespace covrl {
namespace {

// Lines up to `resume_step`, bytes unchanged; what follows the last newline is torn.
void truncate_after(const std::string& path, int64_t resume_step) {
  const std::string text = read_file(path);
  std::string kept;
  int64_t line_number = 0;
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    const Json row = parse_json(line, path, ++line_number);
    if (get_int(row, "step", concat(path, ":", line_number)) <= resume_step) kept += line + "\n";
  }
  if (kept.size() != text.size()) write_file_atomically(path, kept);
}

}  // namespace

StepLog::StepLog(const std::string& path, int64_t resume_step) : path_(path) {
  if (std::filesystem::exists(path)) truncate_after(path, resume_step);
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (file_ == nullptr) throw_runtime(path, ": cannot be written: ", std::strerror(errno));
}

void StepLog::add(const Json& row) {
  lines_ += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void read_log(const std::string& path, const std::function<void(int64_t, const Json&)>& row) {
  std::string text = read_file(path);
  const size_t last_line = text.rfind('\n') + 1;
  if (!Json::accept(text.substr(last_line))) text.resize(last_line);
  std::istringstream lines(text);
  read_json_rows(path, lines, row);
}

void StepLog::flush() {
  const bool written = std::fwrite(lines_.data(), 1, lines_.size(), file_.get()) == lines_.size();
  lines_.clear();
  if (!written || std::fflush(file_.get()) != 0)
    throw_runtime(path_, ": cannot be written: ", std::strerror(errno));
}

}  // namespace covrl
