// Rows of a command: to a file, or to stdout when no file is named. Each row is flushed as it is
// written, so that what was finished is kept when the command is interrupted.
#pragma once

#include <fstream>
#include <string>

#include "core/jsonl.h"
#include "rl/commands/inputs.h"

namespace covrl {

class JsonlOutput {
 public:
  // "": stdout. Error(kUsage) when the file cannot be opened, or is one of the inputs.
  explicit JsonlOutput(const std::string& path, const InputFiles& inputs = {});
  void write(const Json& row);

 private:
  std::string path_;
  std::ofstream file_;
};

// --output of a command whose rows are written as a whole at its end: a command that fails leaves
// the file as it was, and may read the very file it writes. Devices and pipes are written to.
// Changes nothing; Error(kUsage) if it would fail, or replace an input.
void check_output(const std::string& path, const InputFiles& inputs = {});
void write_output(const std::string& path, const std::string& lines);

// The shortest decimal that reads back as the same float.
Json float_json(float value);
Json floats_json(const float* values, int64_t count);

}  // namespace covrl
