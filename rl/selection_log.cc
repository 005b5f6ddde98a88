#include "rl/selection_log.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace covrl {
namespace {

constexpr int64_t kContext = 12;  // tokens on each side

std::string prompt_id(const std::vector<Group>& groups, uint64_t slot) {
  for (const Group& group : groups)
    if (group.slot == slot) return group.prompt.id;
  return "";
}

// Tokens begin .. end-1 of the batch as text.
std::string text_of(const Batch& batch, int64_t begin, int64_t end, const Tokenizer& tokenizer) {
  if (end <= begin) return "";
  const at::Tensor tokens = batch.tokens_T.slice(0, begin, end).contiguous();
  const int64_t* data = tokens.const_data_ptr<int64_t>();
  return tokenizer.decode({data, data + tokens.numel()}, /*skip_special_tokens=*/false);
}

}  // namespace

void SelectionLog::write(int64_t step, const std::vector<SelectedToken>& tokens, const Batch& batch,
                         const std::vector<Group>& groups, const Tokenizer& tokenizer) {
  for (const SelectedToken& token : tokens) {
    const size_t n = static_cast<size_t>(
        std::upper_bound(batch.cu_seqlens.begin(), batch.cu_seqlens.end(), token.entry) -
        batch.cu_seqlens.begin() - 1);
    const int64_t begin = batch.cu_seqlens[n], end = batch.cu_seqlens[n + 1];
    const int64_t place = token.entry + 1;  // an entry is about the next token
    log_.add({{"step", step},
              {"id", prompt_id(groups, batch.sequence_ids[n].slot)},
              {"slot", batch.sequence_ids[n].slot},
              {"sample", batch.sequence_ids[n].sample},
              {"position", place - begin - batch.prompt_lengths[n]},
              {"token", batch.tokens_T[place].item<int64_t>()},
              {"text", text_of(batch, place, place + 1, tokenizer)},
              {"before", text_of(batch, std::max(begin, place - kContext), place, tokenizer)},
              {"after", text_of(batch, place + 1, std::min(end, place + 1 + kContext), tokenizer)},
              {"logprob", token.logprob},
              {"old_logprob", token.old_logprob},
              {"advantage", token.advantage},
              {"covariance", token.covariance}});
  }
  log_.flush();
}

}  // namespace covrl
