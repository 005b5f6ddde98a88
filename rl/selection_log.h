// The tokens that entropy control selected, for people to read: selected_tokens.jsonl.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/step_log.h"
#include "entropy/selected_tokens.h"
#include "policy/tokenizer.h"
#include "rl/batch.h"

namespace covrl {

// A line a token:
// {"step","id","slot","sample","position","token","text","before","after","logprob","old_logprob",
// "advantage","covariance"}. position counts the completion's tokens from 0; before and after are
// the text of up to 12 tokens on each side (the prompt's too).
class SelectionLog {
 public:
  SelectionLog(const std::string& path, int64_t resume_step) : log_(path, resume_step) {}
  // Entries of `tokens` are those of the batch; `groups` are what it was packed from.
  void write(int64_t step, const std::vector<SelectedToken>& tokens, const Batch& batch,
             const std::vector<Group>& groups, const Tokenizer& tokenizer);

 private:
  StepLog log_;
};

}  // namespace covrl
