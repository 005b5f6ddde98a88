// What flows through a step: Prompt -> Group of Trajectory (sampled) -> with Verdict (verified).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/chat_template.h"
#include "verifiers/verifier.h"

namespace covrl {

// A training or evaluation problem, e.g. {row 0, "deepscaler", [{user, "What is ..."}], gold
// "12.8"}.
struct Prompt {
  int64_t row = 0;                // row in its source, before repetition
  int64_t index = 0;              // stable id of the problem: extra_info.index, else the row
  std::string id;                 // as text: "id" of the row, else the index
  std::string data_source;        // routes metrics and verifier
  std::vector<Message> messages;  // chat form; or
  std::string text;               // raw prompt when messages is empty
  std::string gold;
  std::string extra_info;       // of the row, a JSON object for external verifiers; empty: none
  std::vector<int64_t> tokens;  // rendered and encoded
  // Other short columns of the row and of its extra_info, as text: {"subject", "Algebra"}.
  std::vector<std::pair<std::string, std::string>> fields = {};
};

// What the prompt says, for people to read: its messages but the system's.
std::string prompt_text(const Prompt& prompt);

enum class FinishReason { kStop, kLength, kFailed };
const char* finish_reason_name(FinishReason reason);  // "stop", "length", "failed"

struct Trajectory {
  std::vector<int64_t> tokens;  // completion, end token included when it was sampled
  std::vector<float>
      behaviour_logprob;       // of each token under softmax(logits / temperature) when sampled
  std::vector<float> entropy;  // of that distribution, nats
  FinishReason finish_reason = FinishReason::kFailed;
  int64_t weight_version = 0;  // of the policy that sampled it
  std::string text;            // decoded without special tokens
  Verdict verdict;
  double reward = 0;
  std::optional<Verdict> audit = {};  // a second verifier's, where the audit looked
};
// Neither its rollout nor its verification failed.
bool is_usable(const Trajectory& trajectory);
// Nats, over its tokens; none without tokens.
std::optional<double> mean_entropy(const Trajectory& trajectory);

// The samples of one prompt in one step: what an advantage is relative to.
struct Group {
  Prompt prompt;
  uint64_t slot = 0;  // position in the step's batch: with the step, the identity of every draw
  // With data.merge_copies, the slot of the batch's first copy of the prompt: advantages are then
  // relative to the samples of all its copies.
  std::optional<uint64_t> merged_slot;
  std::vector<Trajectory> trajectories;

  uint64_t advantage_group() const { return merged_slot.value_or(slot); }
};
// Fills merged_slot of every group.
void merge_copies(std::vector<Group>& groups);

}  // namespace covrl
