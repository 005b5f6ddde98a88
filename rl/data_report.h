// What a run says of its training data before it starts, so that a wrong template, a cut prompt or
// an answer that nothing can match is seen at once.
#pragma once

#include <string>
#include <vector>

#include "policy/tokenizer.h"
#include "rollout/prompt_source.h"
#include "verifiers/verifier.h"

namespace covrl {

// The first three distinct prompts as the model reads them, special tokens included, each with id,
// length and answer.
std::string rendered_prompts(const PromptSet& set, const Tokenizer& tokenizer);

// Ids and answers of problems whose own answer the verifier calls correct neither in a box nor
// bare: a completion that is right earns nothing, or nothing can be right.
struct GoldFault {
  std::string id, gold;
};
std::vector<GoldFault> find_gold_faults(const PromptSet& set, const Verifier& verifier);
// "2 of 1209 problems have ...: 265 '', 139 '\div'"; "" without faults.
std::string gold_fault_text(const std::vector<GoldFault>& faults, const PromptSet& set);

// Why data.merge_copies has nothing to merge in batches of `batch_size`; "" where it has.
std::string merge_copies_fault(const PromptSet& set, int64_t batch_size);

}  // namespace covrl
