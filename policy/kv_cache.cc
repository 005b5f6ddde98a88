#include "policy/kv_cache.h"

#include <ATen/Functions.h>

#include <algorithm>

#include "core/error.h"
#include "policy/scalar_type.h"

namespace covrl {
namespace {

int64_t pages_for(int64_t num_tokens) {
  return (num_tokens + KvCache::kPageTokens - 1) / KvCache::kPageTokens;
}

}  // namespace

KvCache::KvCache(const ModelConfig& config, DType dtype, int64_t num_tokens, at::Device device) {
  COVRL_CHECK(num_tokens >= 0, num_tokens);
  const std::vector<int64_t> shape = {0, kPageTokens, config.num_key_value_heads, config.head_dim};
  const auto options = at::TensorOptions().dtype(scalar_type(dtype)).device(device);
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    layers_.push_back({at::empty(shape, options), at::empty(shape, options)});
  grow(pages_for(num_tokens));
}

void KvCache::grow(int64_t num_pages) {
  const auto present = static_cast<int64_t>(references_.size());
  if (num_pages <= present) return;
  const auto grown = [num_pages, present](const at::Tensor& pages) {
    std::vector<int64_t> shape = pages.sizes().vec();
    shape[0] = num_pages;
    at::Tensor larger = at::empty(shape, pages.options());
    larger.narrow(0, 0, present).copy_(pages);
    return larger;
  };
  for (kernels::PagedCache& cache : layers_) cache = {grown(cache.k_PSHd), grown(cache.v_PSHd)};
  references_.resize(static_cast<size_t>(num_pages), 0);
  for (int64_t page = num_pages - 1; page >= present; --page) free_pages_.push_back(page);
}

int64_t KvCache::take_page() {
  if (free_pages_.empty()) grow(std::max<int64_t>(1, 2 * static_cast<int64_t>(references_.size())));
  const int64_t page = free_pages_.back();
  free_pages_.pop_back();
  references_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvCache::give_back(int64_t page) {
  int32_t& references = references_[static_cast<size_t>(page)];
  if (--references == 0) free_pages_.push_back(page);
}

const KvCache::SequenceState& KvCache::state(int64_t sequence) const {
  const bool known = sequence >= 0 && sequence < static_cast<int64_t>(sequences_.size());
  COVRL_CHECK(known && sequences_[static_cast<size_t>(sequence)].live, "sequence ", sequence);
  return sequences_[static_cast<size_t>(sequence)];
}

KvCache::SequenceState& KvCache::state(int64_t sequence) {
  return const_cast<SequenceState&>(std::as_const(*this).state(sequence));
}

int64_t KvCache::add_sequence() {
  int64_t id = static_cast<int64_t>(sequences_.size());
  if (free_sequences_.empty()) {
    sequences_.emplace_back();
  } else {
    id = free_sequences_.back();
    free_sequences_.pop_back();
  }
  sequences_[static_cast<size_t>(id)] = {/*live=*/true, 0, {}};
  return id;
}

int64_t KvCache::fork(int64_t sequence) {
  state(sequence);
  const int64_t id = add_sequence();
  const SequenceState& source = state(sequence);
  for (const int64_t page : source.pages) ++references_[static_cast<size_t>(page)];
  state(id) = source;
  return id;
}

void KvCache::remove(int64_t sequence) {
  SequenceState& removed = state(sequence);
  for (const int64_t page : removed.pages) give_back(page);
  removed = {};
  free_sequences_.push_back(sequence);
}

int64_t KvCache::length(int64_t sequence) const { return state(sequence).length; }

const std::vector<int64_t>& KvCache::pages(int64_t sequence) const { return state(sequence).pages; }

int64_t KvCache::num_free_pages() const { return static_cast<int64_t>(free_pages_.size()); }

// A page that others read too must not be written to: continue in a copy.
void KvCache::own_last_page(SequenceState& sequence) {
  const int64_t shared = sequence.pages.back();
  if (references_[static_cast<size_t>(shared)] == 1) return;
  const int64_t own = take_page();
  for (kernels::PagedCache& cache : layers_) {
    cache.k_PSHd.select(0, own).copy_(cache.k_PSHd.select(0, shared));
    cache.v_PSHd.select(0, own).copy_(cache.v_PSHd.select(0, shared));
  }
  give_back(shared);
  sequence.pages.back() = own;
}

std::vector<int64_t> KvCache::append(int64_t sequence, int64_t count) {
  COVRL_CHECK(count >= 0, count);
  SequenceState& target = state(sequence);
  if (count > 0 && target.length % kPageTokens != 0) own_last_page(target);
  std::vector<int64_t> slots;
  slots.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t offset = target.length % kPageTokens;
    if (offset == 0) target.pages.push_back(take_page());
    slots.push_back(target.pages.back() * kPageTokens + offset);
    ++target.length;
  }
  return slots;
}

}  // namespace covrl
