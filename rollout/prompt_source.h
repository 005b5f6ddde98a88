// Prompts from JSON lines or parquet, in verl's columns or plain ones.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/jsonl.h"
#include "policy/pretrained.h"
#include "rollout/data_config.h"
#include "rollout/types.h"

namespace covrl {

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
// {"id","problem","answer"}, MATH's {"problem","solution"} whose answer is the solution's last box,
// ARC's multiple choice (rollout/choice_row.h).
// `limit` < 0: all. Errors name file, row, column, type seen and the keys present.
std::vector<Prompt> read_prompts(const std::string& path, const DataConfig& config,
                                 int64_t limit = -1);

// Rows of several files, each with the object it was read from. An id stands for one problem: where
// another problem (another prompt text) has a row's id already it becomes FILESTEM:ID, if that is
// taken as well FILESTEM:ID:ROW, and then FILESTEM:ID:ROW:2, ...
void read_problems(const std::vector<std::string>& paths, const DataConfig& config,
                   const std::function<void(Prompt&& prompt, const Json& object)>& row);

// Renders (chat template or plain), encodes, drops over-long ones, repeats.
PromptSet prepare_prompts(std::vector<Prompt> rows, const DataConfig& config,
                          const Pretrained& pretrained);

}  // namespace covrl
