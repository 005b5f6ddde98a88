#include "policy/bpe.h"

#include <gtest/gtest.h>

#include <random>

#include "core/error.h"

namespace covrl {
namespace {

using Ids = std::vector<int64_t>;

// All bytes as tokens 0..255, then one token for each merge.
BpeModel byte_model(const std::vector<std::pair<std::string, std::string>>& merges) {
  BpeModel model;
  for (int byte = 0; byte < 256; ++byte) model.vocab.emplace_back(byte_letters()[byte], byte);
  for (const auto& [left, right] : merges) {
    model.vocab.emplace_back(left + right, static_cast<int64_t>(model.vocab.size()));
  }
  model.merges = merges;
  return model;
}

Ids encode(const Bpe& bpe, std::string_view word) {
  Ids ids;
  bpe.encode_word(word, ids);
  return ids;
}

TEST(Bpe, LowestRankFirstThenLeftmost) {
  const Bpe bpe(byte_model({{"b", "c"}, {"a", "b"}, {"a", "a"}}), "test");
  EXPECT_EQ(encode(bpe, "abc"), (Ids{'a', 256}));
  EXPECT_EQ(encode(bpe, "abab"), (Ids{257, 257}));
  EXPECT_EQ(encode(bpe, "aaa"), (Ids{258, 'a'}));
  EXPECT_EQ(encode(bpe, ""), Ids{});
}

// The definition: repeat the best merge of the whole word, in quadratic time.
Ids encode_plainly(const std::vector<std::pair<std::string, std::string>>& merges, const Bpe& bpe,
                   const std::string& word) {
  std::vector<std::string> parts;
  for (const char c : word) parts.emplace_back(1, c);
  for (;;) {
    size_t best_rank = merges.size(), best_at = 0;
    for (size_t at = 0; at + 1 < parts.size(); ++at) {
      const size_t rank =
          std::find(merges.begin(), merges.end(), std::pair(parts[at], parts[at + 1])) -
          merges.begin();
      if (rank < best_rank) best_rank = rank, best_at = at;
    }
    if (best_rank == merges.size()) break;
    parts[best_at] += parts[best_at + 1];
    parts.erase(parts.begin() + best_at + 1);
  }
  Ids ids;
  for (const std::string& part : parts) ids.push_back(bpe.token_to_id(part));
  return ids;
}

TEST(Bpe, AgreesWithTheDefinitionOnRandomWords) {
  std::mt19937 random(3);
  for (int model = 0; model < 20; ++model) {
    std::vector<std::string> tokens{"a", "b", "c"};
    std::vector<std::pair<std::string, std::string>> merges;
    while (merges.size() < 12) {
      const std::string left = tokens[random() % tokens.size()],
                        right = tokens[random() % tokens.size()];
      if (std::find(tokens.begin(), tokens.end(), left + right) != tokens.end()) continue;
      merges.emplace_back(left, right);
      tokens.push_back(left + right);
    }
    const Bpe bpe(byte_model(merges), "test");
    for (int round = 0; round < 50; ++round) {
      std::string word(random() % 40, ' ');
      for (char& letter : word) letter = static_cast<char>('a' + random() % 3);
      EXPECT_EQ(encode(bpe, word), encode_plainly(merges, bpe, word)) << word;
    }
  }
}

TEST(Bpe, WholeWordBeforeMergesWhenMergesAreIgnored) {
  BpeModel model = byte_model({{"b", "c"}});
  model.vocab.emplace_back("abc", 300);
  EXPECT_EQ(encode(Bpe(model, "test"), "abc"), (Ids{'a', 256}));
  model.ignore_merges = true;
  EXPECT_EQ(encode(Bpe(model, "test"), "abc"), (Ids{300}));
}

TEST(Bpe, BytesWithoutToken) {
  BpeModel model;
  model.vocab = {{"a", 0}, {"b", 1}, {"ab", 2}, {"?", 3}};
  model.merges = {{"a", "b"}};
  EXPECT_EQ(encode(Bpe(model, "test"), "azzb"), (Ids{2}));
  model.unk_token = "?";
  EXPECT_EQ(encode(Bpe(model, "test"), "azzb"), (Ids{0, 3, 3, 1}));
  model.fuse_unk = true;
  EXPECT_EQ(encode(Bpe(model, "test"), "azzb"), (Ids{0, 3, 1}));
}

TEST(Bpe, TokensAsBytes) {
  EXPECT_EQ(token_bytes("\u0120a\u010a"), " a\n");
  EXPECT_EQ(token_bytes("<|end|>"), "<|end|>");
  EXPECT_EQ(token_bytes("\u4e2d"), "\u4e2d");
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_EQ(token_bytes(byte_letters()[byte]), std::string(1, static_cast<char>(byte)));
}

TEST(Bpe, RefusesDuplicates) {
  BpeModel model;
  model.vocab = {{"a", 0}, {"a", 1}};
  EXPECT_THROW(Bpe(model, "test"), Error);
  model.vocab = {{"a", 0}, {"b", 0}};
  EXPECT_THROW(Bpe(model, "test"), Error);
  model.vocab = {{"a", 0}, {"b", 1}};
  model.merges = {{"a", "b"}};
  EXPECT_THROW(Bpe(model, "test"), Error);
}

}  // namespace
}  // namespace covrl
