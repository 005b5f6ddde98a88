#include "core/step_log.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/json_rows.h"

namespace covrl {
namespace {

// Cuts the file behind its last whole line of a step up to `resume_step`: steps are in order, and
// what follows the last newline is torn. Read by line, as it may be more than fits into memory.
void truncate_after(const std::string& path, int64_t resume_step) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw_runtime(path, ": cannot be read: ", std::strerror(errno));
  uintmax_t kept = 0;
  int64_t line_number = 0;
  for (std::string line; std::getline(in, line) && !in.eof(); kept += line.size() + 1) {
    const Json row = parse_json(line, path, ++line_number);
    if (get_int(row, "step", concat(path, ":", line_number)) > resume_step) break;
  }
  if (in.bad()) throw_runtime(path, ": cannot be read: ", std::strerror(errno));
  in.close();
  if (kept != std::filesystem::file_size(path)) std::filesystem::resize_file(path, kept);
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
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_usage(path, ": cannot be read: ", std::strerror(errno));
  read_json_rows(path, file, LastLine::kMayBeCutOff, row);
}

void StepLog::flush() {
  const bool written = std::fwrite(lines_.data(), 1, lines_.size(), file_.get()) == lines_.size();
  lines_.clear();
  if (!written || std::fflush(file_.get()) != 0)
    throw_runtime(path_, ": cannot be written: ", std::strerror(errno));
}

}  // namespace covrl
