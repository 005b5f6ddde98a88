#include "rl/commands/inputs.h"

#include <filesystem>

#include "core/error.h"
#include "rl/model_files.h"

namespace covrl {
namespace fs = std::filesystem;

InputFiles checkpoint_inputs(const std::string& option, const std::string& dir) {
  InputFiles files;
  std::error_code absent;  // told by who reads it
  for (const fs::directory_entry& entry : fs::directory_iterator(dir, absent))
    if (is_model_file(entry.path())) files.push_back({option, entry.path().string()});
  return files;
}

InputFiles run_inputs(const std::string& option, const std::string& dir) {
  InputFiles files;
  for (const char* name :
       {"metrics.jsonl", "samples.jsonl", "eval_samples.jsonl", "alarms.jsonl",
        "example_accuracy.jsonl", "selected_tokens.jsonl", "config.resolved.yaml"})
    files.push_back({option, dir + "/" + name});
  return files;
}

InputFiles operator+(InputFiles a, const InputFiles& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void check_replaces_none(const std::string& option, const std::string& output,
                         const InputFiles& inputs) {
  std::error_code absent;
  if (!fs::is_regular_file(output, absent)) return;
  for (const InputFile& input : inputs)
    if (fs::exists(input.path, absent) && fs::equivalent(output, input.path, absent))
      throw_usage(option, ": ", output, " is ", input.path == output ? "" : input.path + ", ",
                  "what the command reads (", input.option,
                  ") and would be replaced; name another file");
}

}  // namespace covrl
