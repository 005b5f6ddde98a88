// Prompts from JSON lines or parquet, in verl's columns or plain ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "policy/pretrained.h"
#include "rollout/types.h"

namespace covrl {

struct DataConfig {
  std::vector<std::string> train_files;
  std::string prompt_key = "prompt";  // text, or a list of {role, content}; falls back to
                                      // "problem", "question", "messages"
  std::string label_key = "answer";   // gold when there is no reward_model.ground_truth
  int64_t repeat = 1;                 // each row so many times: 1 row x 128 is the 1-shot batch
  std::string prompt_suffix;          // appended to the user's text
  bool use_chat_template = true;
  int64_t max_prompt_length = 1024;  // tokens; longer ones are dropped and counted
  bool shuffle = true;
  void describe(config::Visitor& v);
};

struct PromptSet {
  std::vector<Prompt> prompts;  // repeated copies included, in file order
  int64_t num_rows = 0;
  int64_t num_distinct = 0;       // distinct (messages, gold)
  int64_t num_dropped = 0;        // over-long
  int64_t copies = 0;             // of each distinct prompt; 0: not the same for all
  int64_t max_prompt_length = 0;  // tokens; what was dropped is longer
  std::string summary() const;    // "1 distinct prompt x 128", "1209 rows, 1207 distinct, 3 dropped
                                  // (longer than 1024 tokens)"
};

// Rows without tokens yet: any of verl's parquet, the same record as jsonl,
// {"id","problem","answer"}. `limit` < 0: all. Errors name file, row, column, type seen and the
// keys present.
std::vector<Prompt> read_prompts(const std::string& path, const DataConfig& config,
                                 int64_t limit = -1);

// Renders (chat template or plain), encodes, drops over-long ones, repeats.
PromptSet prepare_prompts(std::vector<Prompt> rows, const DataConfig& config,
                          const Pretrained& pretrained);

}  // namespace covrl
