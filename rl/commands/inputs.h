// What a command reads: files that its outputs never replace, whatever name they are given by.
#pragma once

#include <string>
#include <vector>

namespace covrl {

struct InputFile {
  std::string option;  // that named it: "--input"
  std::string path;
};
using InputFiles = std::vector<InputFile>;

// Files of a checkpoint folder, and of a run folder, that are read of it.
InputFiles checkpoint_inputs(const std::string& option, const std::string& dir);
InputFiles run_inputs(const std::string& option, const std::string& dir);
InputFiles operator+(InputFiles a, const InputFiles& b);

// Error(kUsage) when the file `output`, named by `option`, is one of them. Empty, absent, a device:
// nothing is replaced.
void check_replaces_none(const std::string& option, const std::string& output,
                         const InputFiles& inputs);

}  // namespace covrl
