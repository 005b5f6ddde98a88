// A training run on data/tiny that takes seconds: few prompts, short completions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"
#include "tests/support/paths.h"
#include "tests/support/run_program.h"

namespace covrl::testing {

// Words of `covrl train` for such a run in `run_dir`.
inline std::vector<std::string> tiny_train_words(const std::string& run_dir,
                                                 std::vector<std::string> overrides = {}) {
  std::vector<std::string> words = {
      "train",
      "--config",
      source_path("configs/tiny/one_shot_grpo.yaml"),
      "model.path=" + source_path("data/tiny/model"),
      "data.train_files=[" + source_path("data/tiny/one_shot.jsonl") + "]",
      "eval.files=[" + source_path("data/tiny/test.jsonl") + "]",
      "eval.max_problems=4",
      "eval.samples=2",
      "eval.every=2",
      "data.repeat=4",
      "rollout.n=4",
      "rollout.max_new_tokens=24",
      "trainer.train_batch_size=4",
      "trainer.total_steps=4",
      "trainer.run_dir=" + run_dir};
  words.insert(words.end(), overrides.begin(), overrides.end());
  return words;
}

// All metrics but those of time, as text: one line a step, all digits.
inline std::string curves(const std::string& run_dir) {
  std::string text;
  char number[32];
  for (const auto& [step, metrics] : read_metrics(run_dir + "/metrics.jsonl")) {
    text += std::to_string(step);
    for (const auto& [name, value] : metrics.entries()) {
      if (name.compare(0, 7, "timing_") == 0 || name.compare(0, 5, "perf/") == 0) continue;
      std::snprintf(number, sizeof number, "%.17g", value);
      text += " " + name + "=" + number;
    }
    text += "\n";
  }
  return text;
}

}  // namespace covrl::testing
