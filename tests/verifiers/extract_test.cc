#include "verifiers/extract.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

TEST(Extract, LastBoxWinsWhereverItStands) {
  const Extraction found = extract_answer("\\boxed{1}. Wait: \\boxed{2}. The answer is 3.");
  EXPECT_EQ(found.source, AnswerSource::kBox);
  EXPECT_EQ(found.answer, "2");
}

TEST(Extract, JoinedBoxesAreOneList) {
  EXPECT_EQ(extract_answer("$\\boxed{3}$, $\\boxed{5}$ and $\\boxed{7}$").answer, "3, 5, 7");
  EXPECT_EQ(extract_answer("\\boxed{3} \\boxed{5}").answer, "5");
  EXPECT_EQ(extract_answer("\\boxed{3} is wrong, so \\boxed{5}").answer, "5");
}

TEST(Extract, EmptyOrTruncatedBoxIsNoAnswerWhateverElseIsSaid) {
  for (const char* text : {"The answer is 5. \\boxed{}", "The answer is 5: \\boxed{ $ $ }",
                           "\\boxed{5} \\boxed{6", "5 \\boxed", "put it in \\boxed{\\text{ }}"})
    EXPECT_EQ(extract_answer(text).source, AnswerSource::kNone) << text;
}

TEST(Extract, PhrasesWhenThereIsNoBox) {
  EXPECT_EQ(extract_answer("So the final answer is: $\\frac{1}{2}$. I hope so.").answer,
            "\\frac{1}{2}");
  EXPECT_EQ(extract_answer("**Answer:** 42\nDone with 7.").answer, "42");
  EXPECT_EQ(extract_answer("Work.\n#### 1,234").answer, "1,234");
  EXPECT_EQ(extract_answer("The answer is 3. No, the answer is 4.").answer, "4");
  EXPECT_EQ(extract_answer("The answer is 4.").source, AnswerSource::kPhrase);
  EXPECT_NE(extract_answer("the answer isolates 4").source, AnswerSource::kPhrase);
}

TEST(Extract, LooseFindsAreOptional) {
  const Extraction formula = extract_answer("n = 3, hence $x = 12$ holds");
  EXPECT_EQ(formula.source, AnswerSource::kLoose);
  EXPECT_EQ(formula.answer, "x = 12");
  EXPECT_EQ(extract_answer("With $n=9$ we get -7").answer, "-7");
  EXPECT_EQ(extract_answer("so we get 12", {.phrases = true, .loose = false}).source,
            AnswerSource::kNone);
  EXPECT_EQ(extract_answer("The answer is 4.", {.phrases = false, .loose = false}).source,
            AnswerSource::kNone);
}

TEST(Extract, NothingToFind) {
  EXPECT_EQ(extract_answer("").source, AnswerSource::kNone);
  EXPECT_EQ(extract_answer("I cannot solve this.").source, AnswerSource::kNone);
}

}  // namespace
}  // namespace covrl
