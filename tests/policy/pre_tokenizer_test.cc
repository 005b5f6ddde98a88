#include "policy/pre_tokenizer.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Words words(const char* regex, const std::string& text) {
  const Json section{
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"},
         {"pattern", {{"Regex", regex}}},
         {"behavior", "Isolated"},
         {"invert", false}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  std::deque<std::string> storage;
  const auto views = PreTokenizer::from_json(section, "test").split(text, storage);
  return Words(views.begin(), views.end());
}

TEST(PreTokenizer, DigitsStandAloneOrInThrees) {
  EXPECT_EQ(words(kQwen2, "a1234"), (Words{"a", "1", "2", "3", "4"}));
  EXPECT_EQ(words(kLlama3, "a1234567"), (Words{"a", "123", "456", "7"}));
  EXPECT_EQ(words(kGpt2, "a 1234"), (Words{"a", " 1234"}));
}

TEST(PreTokenizer, ContractionsIgnoreCaseAndKnowTheLongS) {
  EXPECT_EQ(words(kQwen2, "it's I'LL we'Re"), (Words{"it", "'s", " I", "'LL", " we", "'Re"}));
  EXPECT_EQ(words(kQwen2, "a'\u017Fx"), (Words{"a", "'\u017F", "x"}));
  EXPECT_EQ(words(kQwen2, "a'rx b'l"), (Words{"a", "'rx", " b", "'l"}));
  EXPECT_EQ(words(kGpt2, "it's IT'S"), (Words{"it", "'s", " IT", "'", "S"}));
  EXPECT_EQ(words(kQwen2, "'"), (Words{"'"}));
}

TEST(PreTokenizer, OneLeadingCharacterJoinsLetters) {
  EXPECT_EQ(words(kQwen2, "(abc) \tdef"), (Words{"(abc", ")", " ", "\tdef"}));
  EXPECT_EQ(words(kQwen2, "\nabc"), (Words{"\n", "abc"}));
  EXPECT_EQ(words(kGpt2, "(abc"), (Words{"(", "abc"}));
}

TEST(PreTokenizer, SymbolsTakeTheLineEndsBehind) {
  EXPECT_EQ(words(kQwen2, " ...\r\n\nx"), (Words{" ...\r\n\n", "x"}));
  EXPECT_EQ(words(kQwen2, "$$ \n"), (Words{"$$", " \n"}));
}

TEST(PreTokenizer, WhitespaceLeavesOneSpaceForTheWord) {
  EXPECT_EQ(words(kQwen2, "a   b"), (Words{"a", "  ", " b"}));
  EXPECT_EQ(words(kQwen2, "a   "), (Words{"a", "   "}));
  EXPECT_EQ(words(kQwen2, " \n \n  b"), (Words{" \n \n", " ", " b"}));
  EXPECT_EQ(words(kQwen2, "1 2"), (Words{"1", " ", "2"}));
  EXPECT_EQ(words(kQwen2, "\u3000\u30001"), (Words{"\u3000", "\u3000", "1"}));
}

TEST(PreTokenizer, MarksAreNoLetters) {
  EXPECT_EQ(words(kQwen2, "e\u0301x"), (Words{"e", "\u0301x"}));
}

TEST(PreTokenizer, ByteLevelAloneUsesTheGpt2Pattern) {
  const Json section{{"type", "ByteLevel"}, {"add_prefix_space", true}};
  std::deque<std::string> storage;
  const auto views = PreTokenizer::from_json(section, "test").split("ab 12", storage);
  EXPECT_EQ(Words(views.begin(), views.end()), (Words{" ab", " 12"}));
}

TEST(PreTokenizer, KnownRegexes) {
  EXPECT_EQ(find_word_pattern(kQwen2)->max_digits, 1);
  EXPECT_EQ(find_word_pattern(kLlama3)->max_digits, 3);
  EXPECT_FALSE(find_word_pattern(R"(\p{L}+)").has_value());
}

}  // namespace
}  // namespace covrl
