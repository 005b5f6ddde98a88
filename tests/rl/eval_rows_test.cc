#include "rl/evaluation/eval_rows.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "rl/evaluation/rescore.h"
#include "tests/rl/eval_rows_fixture.h"
#include "tests/support/paths.h"

namespace covrl::testing {
namespace {

class EvalRows : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("eval_rows");

  std::string write(const std::vector<EvalRow>& rows) {
    const std::string path = dir_ + "/eval_samples.jsonl";
    std::ofstream out(path);
    for (const EvalRow& row : rows) out << to_json(row).dump() << "\n";
    return path;
  }

  static std::string refusal(const std::string& source) {
    try {
      read_eval_rows(source);
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  }
};

TEST_F(EvalRows, ReadBackAsWritten) {
  std::vector<EvalRow> rows = random_rows(1, 5, 3);
  rows[1].decoding = Decoding::kGreedy;
  rows[2].step = 40;
  rows[3].checkpoint = "runs/a/checkpoints/global_step_40";
  rows[4].extra_info = R"({"options":["a","b"],"n":1})";
  rows[5].data_source = "math";
  rows[6].mean_entropy.reset();
  rows[7].verdict = {Outcome::kFailed, 0, ""};
  rows[7].verdict.reason = "no gold";
  rows[8].verifier = "numeric verifier.numeric.rel_tol=0.01";
  rows[8].response = "two\nlines \xc3\xa9";
  const std::vector<EvalRow> read = read_eval_rows(write(rows));
  ASSERT_EQ(read.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(to_json(read[i]), to_json(rows[i]));
    EXPECT_EQ(is_usable(read[i]), is_usable(rows[i]));
  }
}

TEST_F(EvalRows, AFolderIsItsEvaluationsAndAStepIsChosenByName) {
  std::vector<EvalRow> rows = random_rows(1, 4, 1);
  for (size_t i = 0; i < rows.size(); ++i) rows[i].step = i < 3 ? 0 : 20;
  write(rows);
  EXPECT_EQ(read_eval_rows(dir_).size(), 4U);
  EXPECT_EQ(read_eval_rows(dir_ + "@0").size(), 3U);
  EXPECT_EQ(read_eval_rows(dir_ + "/eval_samples.jsonl@20").size(), 1U);
  EXPECT_NE(refusal(dir_ + "@7").find("its steps are 0, 20"), std::string::npos);
  EXPECT_NE(refusal(dir_ + "/none@x").find("number of a step"), std::string::npos);
}

TEST_F(EvalRows, FaultsNameTheLine) {
  std::vector<EvalRow> rows = random_rows(1, 2, 1);
  rows.push_back(rows[0]);
  EXPECT_NE(refusal(write(rows)).find("eval_samples.jsonl:3: response 0 (sampled) to 'problem-0'"),
            std::string::npos);
  Json json = to_json(rows[0]);
  json["outcome"] = "right";
  std::ofstream(dir_ + "/a.jsonl") << json.dump() << "\n";
  EXPECT_NE(refusal(dir_ + "/a.jsonl").find("a.jsonl:1: \"outcome\" is 'right'; one of correct,"),
            std::string::npos);
  std::ofstream(dir_ + "/b.jsonl") << "";
  EXPECT_NE(refusal(dir_ + "/b.jsonl").find("no rows"), std::string::npos);
}

TEST_F(EvalRows, KeepOfExtraInfoWhatIsShortAndTheChoices) {
  const std::string choices = R"({"label":["A","B"],"text":["ice","fire"]})", text(101, 'x'),
                    extra = R"({"split":"test","index":3,"hard":true,"solution":")" + text +
                            R"(","steps":["a"],"choices":)" + choices + "}";
  Prompt prompt;
  prompt.extra_info = extra;
  const auto kept = [&](const std::string& judge) {
    return make_eval_row({.judges = {{"set", judge}}}, "set", prompt, Decoding::kGreedy, 0, {})
        .extra_info;
  };
  EXPECT_EQ(kept("choice"), R"({"split":"test","index":3,"hard":true,"choices":)" + choices + "}");
  for (const char* judge : {"external_process", "math+external_library reward.weights=[1.0,0.5]"})
    EXPECT_EQ(kept(judge), extra);  // which may ask for anything
  prompt.extra_info = R"({"solution":")" + text + R"("})";
  EXPECT_EQ(kept("math"), "");
}

TEST_F(EvalRows, NameTheirJudge) {
  const auto judge = [](const std::string& benchmark) {
    const EvalOrigin origin{.judges = {{"a", "math"}, {"b", "choice"}}};
    return make_eval_row(origin, benchmark, {}, Decoding::kGreedy, 0, {}).verifier;
  };
  EXPECT_EQ(judge("a"), "math");
  EXPECT_EQ(judge("b"), "choice");
  std::vector<EvalRow> rows = {eval_row("a", 0, Outcome::kCorrect),
                               eval_row("b", 0, Outcome::kCorrect)};
  rows[0].verifier = "exact", rows[1].verifier = "math";
  using Judges = std::map<std::string, std::set<std::string>>;
  EXPECT_EQ(judges_of(rows), (Judges{{"set", {"exact", "math"}}}));
  rescore(rows, *make_verifier("math"), "math", 1);
  EXPECT_EQ(judges_of(rows), (Judges{{"set", {"math"}}}));
}

TEST_F(EvalRows, JudgingAgainReplacesVerdictsAndCountsWhatChanged) {
  std::vector<EvalRow> rows = {
      eval_row("a", 0, Outcome::kCorrect), eval_row("b", 0, Outcome::kWrong),  // 7 is right
      eval_row("c", 0, Outcome::kWrong, "8"), eval_row("d", 0, Outcome::kFailed),
      eval_row("e", 0, Outcome::kFailed)};
  rows[4].finish_reason = FinishReason::kFailed;
  const Rescoring rescoring = rescore(rows, *make_verifier("math"), "math", 2);
  EXPECT_EQ(rescoring.num_rows, 5);
  EXPECT_EQ(rescoring.changed, (std::vector<std::string>{"set b #0", "set d #0"}));
  EXPECT_EQ(rows[1].verdict.outcome, Outcome::kCorrect);
  EXPECT_EQ(rows[2].verdict.outcome, Outcome::kWrong);
  EXPECT_EQ(rows[3].verdict.outcome, Outcome::kCorrect);
  EXPECT_EQ(rows[4].verdict.outcome, Outcome::kFailed);
  EXPECT_EQ(agreement_text(rescoring),
            "2 of 5 verdicts changed: 1 wrong -> correct, 1 failed -> correct; set b #0, set d #0");
  EXPECT_EQ(agreement_text(rescore(rows, *make_verifier("math"), "math", 1)),
            "0 of 5 verdicts changed");
}

}  // namespace
}  // namespace covrl::testing
