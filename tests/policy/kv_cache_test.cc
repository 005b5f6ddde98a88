#include "policy/kv_cache.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"

namespace covrl {
namespace {

constexpr int64_t kPage = KvCache::kPageTokens;

ModelConfig small_config() {
  ModelConfig config;
  config.num_hidden_layers = 2;
  config.num_key_value_heads = 3;
  config.head_dim = 4;
  return config;
}

KvCache cache_of(int64_t num_tokens) {
  return KvCache(small_config(), DType::kFloat32, num_tokens);
}

// Marks the slots with their own number in every layer.
void write(KvCache& cache, const std::vector<int64_t>& slots, float value) {
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (const int64_t slot : slots) {
      cache.layer(layer).k_PSHd.flatten(0, 1).select(0, slot).fill_(value +
                                                                    static_cast<float>(layer));
      cache.layer(layer).v_PSHd.flatten(0, 1).select(0, slot).fill_(-value -
                                                                    static_cast<float>(layer));
    }
  }
}

float key_at(KvCache& cache, int64_t layer, int64_t sequence, int64_t position) {
  const int64_t page = cache.pages(sequence)[static_cast<size_t>(position / kPage)];
  return cache.layer(layer).k_PSHd[page][position % kPage][0][0].item<float>();
}

TEST(KvCache, SlotsFillPagesInOrder) {
  KvCache cache = cache_of(4 * kPage);
  const int64_t sequence = cache.add_sequence();
  const std::vector<int64_t> slots = cache.append(sequence, kPage + 3);
  ASSERT_EQ(slots.size(), static_cast<size_t>(kPage + 3));
  ASSERT_EQ(cache.pages(sequence).size(), 2U);
  EXPECT_EQ(cache.length(sequence), kPage + 3);
  for (int64_t i = 0; i < kPage + 3; ++i)
    EXPECT_EQ(slots[static_cast<size_t>(i)],
              cache.pages(sequence)[static_cast<size_t>(i / kPage)] * kPage + i % kPage);
}

TEST(KvCache, SequencesNeverShareASlotUnlessForked) {
  KvCache cache = cache_of(8 * kPage);
  std::set<int64_t> seen;
  size_t total = 0;
  const int64_t first = cache.add_sequence(), second = cache.add_sequence();
  for (int i = 0; i < 5; ++i) {
    for (const int64_t sequence : {first, second}) {
      const auto slots = cache.append(sequence, 7);
      seen.insert(slots.begin(), slots.end());
      total += slots.size();
    }
  }
  EXPECT_EQ(seen.size(), total);
}

TEST(KvCache, RemoveGivesPagesBack) {
  KvCache cache = cache_of(4 * kPage);
  EXPECT_EQ(cache.num_free_pages(), 4);
  const int64_t sequence = cache.add_sequence();
  cache.append(sequence, 2 * kPage + 1);
  EXPECT_EQ(cache.num_free_pages(), 1);
  cache.remove(sequence);
  EXPECT_EQ(cache.num_free_pages(), 4);
  EXPECT_EQ(cache.length(cache.add_sequence()), 0);
}

TEST(KvCache, ForkSharesPagesUntilTheLastIsGone) {
  KvCache cache = cache_of(4 * kPage);
  const int64_t prompt = cache.add_sequence();
  cache.append(prompt, 2 * kPage);
  const int64_t sample = cache.fork(prompt);
  EXPECT_EQ(cache.pages(sample), cache.pages(prompt));
  EXPECT_EQ(cache.num_free_pages(), 2);
  cache.remove(prompt);
  EXPECT_EQ(cache.num_free_pages(), 2);
  EXPECT_EQ(cache.length(sample), 2 * kPage);
  cache.remove(sample);
  EXPECT_EQ(cache.num_free_pages(), 4);
}

TEST(KvCache, FullSharedPagesAreNotCopied) {
  KvCache cache = cache_of(8 * kPage);
  const int64_t prompt = cache.add_sequence();
  cache.append(prompt, kPage);
  const int64_t sample = cache.fork(prompt);
  cache.append(sample, 1);
  cache.append(prompt, 1);
  EXPECT_EQ(cache.pages(sample)[0], cache.pages(prompt)[0]);
  EXPECT_NE(cache.pages(sample)[1], cache.pages(prompt)[1]);
}

TEST(KvCache, ASharedPageIsCopiedBeforeItIsWrittenTo) {
  KvCache cache = cache_of(8 * kPage);
  const int64_t prompt = cache.add_sequence();
  write(cache, cache.append(prompt, kPage + 5), 1);
  const int64_t sample = cache.fork(prompt), other = cache.fork(prompt);
  write(cache, cache.append(sample, 1), 100);
  write(cache, cache.append(other, 1), 200);
  write(cache, cache.append(prompt, 1), 300);

  const std::set<int64_t> last = {cache.pages(prompt)[1], cache.pages(sample)[1],
                                  cache.pages(other)[1]};
  EXPECT_EQ(last.size(), 3U);
  for (const int64_t layer : {0, 1}) {
    const auto offset = static_cast<float>(layer);
    for (const int64_t sequence : {prompt, sample, other})
      for (int64_t position = 0; position < kPage + 5; ++position)
        EXPECT_EQ(key_at(cache, layer, sequence, position), 1 + offset);
    EXPECT_EQ(key_at(cache, layer, sample, kPage + 5), 100 + offset);
    EXPECT_EQ(key_at(cache, layer, other, kPage + 5), 200 + offset);
    EXPECT_EQ(key_at(cache, layer, prompt, kPage + 5), 300 + offset);
  }
}

TEST(KvCache, TheLastOwnerOfAForkedPageWritesInPlace) {
  KvCache cache = cache_of(8 * kPage);
  const int64_t prompt = cache.add_sequence();
  cache.append(prompt, 5);
  const int64_t sample = cache.fork(prompt);
  cache.append(sample, 1);
  const int64_t free_pages = cache.num_free_pages();
  cache.append(prompt, 1);
  EXPECT_EQ(cache.num_free_pages(), free_pages);
}

TEST(KvCache, GrowingKeepsWhatIsCached) {
  KvCache cache = cache_of(0);
  const int64_t sequence = cache.add_sequence();
  for (int i = 0; i < 40; ++i) write(cache, cache.append(sequence, 3), static_cast<float>(10 * i));
  for (int64_t position = 0; position < 120; ++position)
    EXPECT_EQ(key_at(cache, 1, sequence, position), static_cast<float>(10 * (position / 3) + 1));
}

TEST(KvCache, AnUnknownSequenceIsAnError) {
  KvCache cache = cache_of(kPage);
  const int64_t sequence = cache.add_sequence();
  cache.remove(sequence);
  for (const int64_t id : {sequence, int64_t{-1}, int64_t{99}}) {
    EXPECT_THROW(cache.append(id, 1), Error);
    EXPECT_THROW(cache.fork(id), Error);
    EXPECT_THROW(cache.remove(id), Error);
  }
}

}  // namespace
}  // namespace covrl
