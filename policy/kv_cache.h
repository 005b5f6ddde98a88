// Paged key/value cache of one model: sequences own lists of pages; a prompt's full pages are
// shared by the samples that continue it (fork), counted by reference, copied when a shared page is
// written to.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention.h"
#include "policy/model_config.h"

namespace covrl {

class KvCache {
 public:
  static constexpr int64_t kPageTokens = 16;

  // Room for `num_tokens` tokens in all; grows when more are asked for.
  KvCache(const ModelConfig& config, DType dtype, int64_t num_tokens, at::Device device = at::kCPU);

  int64_t add_sequence();                  // empty; returns its id
  int64_t fork(int64_t sequence);          // same content
  void remove(int64_t sequence);           // gives pages back
  int64_t length(int64_t sequence) const;  // tokens cached

  // Makes room for `count` more tokens and returns their slots (page * kPageTokens + offset), to be
  // written in every layer.
  std::vector<int64_t> append(int64_t sequence, int64_t count);

  kernels::PagedCache& layer(int64_t index) { return layers_[static_cast<size_t>(index)]; }
  const std::vector<int64_t>& pages(int64_t sequence) const;
  int64_t num_free_pages() const;

 private:
  struct SequenceState {
    bool live = false;
    int64_t length = 0;
    std::vector<int64_t> pages;
  };
  void grow(int64_t num_pages);
  int64_t take_page();
  void give_back(int64_t page);
  void own_last_page(SequenceState& sequence);
  const SequenceState& state(int64_t sequence) const;
  SequenceState& state(int64_t sequence);

  std::vector<kernels::PagedCache> layers_;
  std::vector<SequenceState> sequences_;
  std::vector<int32_t> references_;  // per page
  std::vector<int64_t> free_pages_, free_sequences_;
};

}  // namespace covrl
