// A file with a JSON object a line, each with the "step" it belongs to, that a run goes on writing
// after an interruption.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "core/jsonl.h"

namespace covrl {

class StepLog {
 public:
  // Appends to `path`. Lines of steps after `resume_step`, which will be made again, and a torn
  // last line are dropped first. Throws Error(kRuntime) when the file cannot be written.
  StepLog(const std::string& path, int64_t resume_step);

  // Broken UTF-8 becomes U+FFFD.
  void add(const Json& row);
  // Writes what was added, flushed.
  void flush();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::string lines_;
};

// Its rows, as read_jsonl (core/jsonl.h) gives them. A last line that was cut off, as the run was
// killed while it wrote, is left out.
void read_log(const std::string& path, const std::function<void(int64_t, const Json&)>& row);

}  // namespace covrl
