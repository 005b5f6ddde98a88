#include "policy/unicode.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

std::string from_hex(const std::string& code_points) {
  std::istringstream in(code_points);
  std::string text;
  for (uint32_t code_point; in >> std::hex >> code_point;) append_code_point(text, code_point);
  return text;
}

int count_class_mismatches(const Json& ranges, const std::function<bool(char32_t)>& is_member) {
  std::vector<bool> members(0x110000);
  for (const Json& range : ranges) {
    for (uint32_t c = range[0]; c <= range[1].get<uint32_t>(); ++c) members[c] = true;
  }
  int mismatches = 0;
  for (char32_t c = 0; c < 0x110000; ++c) mismatches += is_member(c) != members[c];
  return mismatches;
}

TEST(Unicode, ClassesOfTheRegexEngine) {
  const std::string path = testing::reference_path("fixtures/tokenizers/unicode_classes.json");
  COVRL_REQUIRE_REFERENCE(path);
  const Json classes = Json::parse(read_file(path));
  EXPECT_EQ(count_class_mismatches(classes["L"], is_letter), 0);
  EXPECT_EQ(count_class_mismatches(classes["N"], is_number), 0);
  EXPECT_EQ(count_class_mismatches(classes["s"], is_space), 0);
}

TEST(Unicode, NormalizationOfTheLibrary) {
  const std::string path = testing::reference_path("fixtures/tokenizers/unicode_classes.json");
  COVRL_REQUIRE_REFERENCE(path);
  const Json classes = Json::parse(read_file(path));
  for (const char* table : {"nfc_single", "nfc_compose"}) {
    for (const auto& [from, to] : classes[table].items()) {
      EXPECT_EQ(normalize_nfc(from_hex(from)), from_hex(to.get<std::string>()))
          << table << " " << from;
    }
  }
  for (const Json& pair : classes["nfc_nfd_not_recomposed"]) {
    EXPECT_EQ(normalize_nfc(from_hex(pair[0])), from_hex(pair[1])) << pair;
  }
}

TEST(Unicode, NormalizationLeavesYoungCharactersAlone) {
  EXPECT_EQ(normalize_nfc("e\u0301"), "\u00e9");
  EXPECT_EQ(normalize_nfc("\u1100\u1161\u11a8"), "\uac01");
  // U+0898 (Unicode 14) has a combining class, which the library's data does not know: it stays in
  // front of U+0334.
  EXPECT_EQ(normalize_nfc("x\u0898\u0334"), "x\u0898\u0334");
  EXPECT_EQ(normalize_nfc("x\u0301\u0334"), "x\u0334\u0301");
}

TEST(Unicode, BrokenUtf8) {
  EXPECT_EQ(replace_broken_utf8("plain \u00e9"), "plain \u00e9");
  EXPECT_EQ(replace_broken_utf8("\x80"), "\ufffd");
  EXPECT_EQ(replace_broken_utf8("\xe4\xb8"), "\ufffd");  // cut
  EXPECT_EQ(replace_broken_utf8("\xe4\xb8z"), "\ufffdz");
  EXPECT_EQ(replace_broken_utf8("\xf0\x9f\x98\xe4"), "\ufffd\ufffd");
  EXPECT_EQ(replace_broken_utf8("\xc0\xaf"), "\ufffd\ufffd");            // overlong
  EXPECT_EQ(replace_broken_utf8("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");  // surrogate
  EXPECT_EQ(replace_broken_utf8("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");
}

TEST(Unicode, WalksBothWays) {
  const std::string text = "a\u00e9\u4e2d\U0001f600";
  std::vector<char32_t> forward, backward;
  for (size_t position = 0; position < text.size();)
    forward.push_back(next_code_point(text, position));
  for (size_t position = text.size(); position > 0;)
    backward.push_back(previous_code_point(text, position));
  EXPECT_EQ(forward, (std::vector<char32_t>{'a', 0xe9, 0x4e2d, 0x1f600}));
  EXPECT_EQ(backward, std::vector<char32_t>(forward.rbegin(), forward.rend()));
  EXPECT_EQ(count_code_points(text), 4u);
}

TEST(Unicode, WordCharacters) {
  for (const char32_t c : {U'a', U'_', U'7', U'\u0301', U'\u200d', U'\u4e2d'})
    EXPECT_TRUE(is_word(c)) << uint32_t(c);
  for (const char32_t c : {U' ', U'.', U'-', U'\u00bd'}) EXPECT_FALSE(is_word(c)) << uint32_t(c);
}

TEST(Unicode, CaseMappings) {
  EXPECT_EQ(to_upper("stra\u00dfe"), "STRASSE");
  EXPECT_EQ(to_lower("\u00c9A"), "\u00e9a");
  EXPECT_EQ(to_title(U'\u01c6'), "\u01c5");
}

}  // namespace
}  // namespace covrl
