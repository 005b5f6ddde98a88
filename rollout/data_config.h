// The `data` section: which problems a run trains on, and in what form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"

namespace covrl {

struct DataConfig {
  std::vector<std::string> train_files;
  std::string prompt_key = "prompt";  // text, or a list of {role, content}; falls back to
                                      // "problem", "question", "messages"
  std::string label_key = "answer";   // gold when there is no reward_model.ground_truth
  std::vector<std::string> ids;       // only these problems, each once, in this order; empty: all
  std::vector<std::string> shares;    // whole numbers: copies of each of `ids`; empty: one
  int64_t repeat = 1;                 // each row so many times: 1 row x 128 is the 1-shot batch
  bool merge_copies = false;          // copies of a prompt in a step are one group
  std::vector<std::string> prompts;   // "ID=TEXT" in place of the user's text
  std::vector<std::string> labels;    // "ID=LABEL" in place of the gold answer
  double label_noise = 0;             // share of problems with a wrong label
  int64_t label_noise_seed = 1;
  std::string prompt_suffix;  // appended to the user's text
  bool use_chat_template = true;
  int64_t max_prompt_length = 1024;  // tokens; longer ones are dropped and counted
  bool shuffle = true;
  void describe(config::Visitor& v);
};

// "ID=TEXT", cut at the first '='.
struct IdText {
  std::string id, text;
};
// Error(kUsage) naming the item that is not of that form, or an id that comes twice.
std::vector<IdText> parse_id_texts(const std::vector<std::string>& items);

// Copies of each of config.ids: its share, 1 without shares. Error(kUsage) for what is no count.
std::vector<int64_t> parse_shares(const DataConfig& config);

}  // namespace covrl
