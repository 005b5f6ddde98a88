#include "rl/evaluation/reflection_words.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

const std::vector<std::string> kWords = {"rethink", "recheck", "recalculate", "let me see"};

TEST(ReflectionWords, WholeWordsAndInflectionsWhateverTheCase) {
  for (const char* text :
       {"I rethink.", "Recheck:", "(RECALCULATE)", "rethinking it", "It was rechecked",
        "recalculating", "a recalculation", "She rechecks", "Let me see.", "so\nrecheck\n"})
    EXPECT_TRUE(has_word(text, kWords)) << text;
}

TEST(ReflectionWords, OtherWordsDoNotCount) {
  for (const char* text : {"", "check", "I think", "prerethink", "recheckable", "recalculator",
                           "re-check", "let me seek", "rethinké", "recalculat"})
    EXPECT_FALSE(has_word(text, kWords)) << text;
  EXPECT_FALSE(has_word("rethink", {}));
}

}  // namespace
}  // namespace covrl
