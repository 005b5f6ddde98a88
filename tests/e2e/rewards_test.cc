// Verifiers of a training run: several with weights, an external one that breaks, the audit; and
// `covrl verify`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

void expect_ok(const ProgramResult& result) { ASSERT_EQ(result.status, 0) << result.err; }

std::vector<Json> rows_of(const std::string& path) {
  std::vector<Json> rows;
  read_jsonl(path, [&](int64_t, const Json& row) { rows.push_back(row); });
  return rows;
}

// Two steps without evaluation.
std::vector<std::string> short_run(const std::string& dir, std::vector<std::string> more) {
  more.insert(more.end(), {"trainer.total_steps=2", "eval.files=[]", "trainer.log_samples=-1"});
  std::vector<std::string> words = tiny_train_words(dir, {});
  for (const char* replaced : {"trainer.total_steps=", "eval."})
    std::erase_if(words, [&](const std::string& word) { return word.starts_with(replaced); });
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(Rewards, AVerifierThatBreaksMasksWhatItCouldNotJudge) {
  const std::string dir = temporary_dir("rewards");
  // Ends on every other length of the request.
  const std::string command =
      "verifier.external_process.command=[sh, -c, \"echo '{\\\"ready\\\": true}'; while read -r "
      "line; "
      "do [ $(( ${#line} % 2 )) = 1 ] && exit 7; echo 1; done\"]";
  const std::vector<std::string> chosen = {"verifier.name=external_process", command,
                                           "reward.max_failed_share=1"};
  std::vector<std::string> threads = chosen;
  threads.push_back("verifier.num_threads=5");
  expect_ok(run_covrl(short_run(dir + "/a", chosen)));
  expect_ok(run_covrl(short_run(dir + "/b", threads)));
  EXPECT_EQ(curves(dir + "/a"), curves(dir + "/b"));
  for (const auto& [step, metrics] : read_metrics(dir + "/a/metrics.jsonl")) {
    double num_failed = 0, num_correct = 0;
    for (const Json& row : rows_of(dir + "/a/samples.jsonl")) {
      if (row["step"] != step) continue;
      num_failed += row["outcome"] == "failed";
      num_correct += row["outcome"] == "correct";
      EXPECT_EQ(row["reward"].is_null(), row["outcome"] == "failed");
    }
    EXPECT_EQ(num_failed + num_correct, 16);
    EXPECT_EQ(metrics.at("verifier/failed"), num_failed);
    EXPECT_EQ(metrics.at("verifier/correct"), num_correct);
    EXPECT_GT(num_failed, 0);
    EXPECT_EQ(metrics.at("critic/score/min"), 1) << "a failure counted as a zero";
  }
}

TEST(Rewards, ARunWhoseVerifierFailsTooOftenStops) {
  const std::string run = temporary_dir("rewards") + "/run";
  const ProgramResult result = run_covrl(short_run(
      run, {"verifier.name=external_process",
            "verifier.external_process.command=[sh, -c, \"echo '{\\\"ready\\\": true}'; read -r l; "
            "exit 5\"]"}));
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_NE(result.err.find("16 of 16 completions failed: 16 in verification ("), std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("exit status 5"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("reward.max_failed_share"), std::string::npos) << result.err;
}

TEST(Rewards, ABrokenCommandEndsTheRunBeforeItStarts) {
  const std::string run = temporary_dir("rewards") + "/run";
  const ProgramResult result =
      run_covrl(short_run(run, {"verifier.name=external_process",
                                "verifier.external_process.command=[sh, -c, exit 3]"}));
  EXPECT_EQ(result.status, 2) << result.err;
  EXPECT_NE(result.err.find("verifier.external_process.command"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("exit status 3"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(run));
}

TEST(Rewards, SeveralVerifiersAddUpAndAreCountedApart) {
  const std::string run = temporary_dir("rewards") + "/run";
  expect_ok(run_covrl(
      short_run(run, {"verifier.name=[math_boxed, format]", "reward.weights=[1, 0.25]"})));
  for (const Json& row : rows_of(run + "/samples.jsonl")) {
    const bool stated = row["outcome"] != "unparsed";
    EXPECT_EQ(row["reward"], row["outcome"] == "correct" ? 1.25 : stated ? 0.25 : 0);
  }
  for (const auto& [step, metrics] : read_metrics(run + "/metrics.jsonl")) {
    EXPECT_EQ(metrics.at("verifier/math_boxed/correct"), metrics.at("verifier/correct"));
    EXPECT_EQ(metrics.at("verifier/format/correct") + metrics.at("verifier/format/unparsed"), 16);
    EXPECT_EQ(metrics.at("rewards/format/mean"), metrics.at("verifier/format/correct") / 16);
    EXPECT_DOUBLE_EQ(metrics.at("critic/score/mean"), metrics.at("rewards/math_boxed/mean") +
                                                          0.25 * metrics.at("rewards/format/mean"));
  }
}

TEST(Rewards, AnAuditIsTheSameOnAnyRanksAndChangesNoTraining) {
  const std::string dir = temporary_dir("rewards");
  const std::vector<std::string> audit = {"reward.audit.verifier=format", "reward.audit.share=0.5"};
  expect_ok(run_covrl(short_run(dir + "/plain", {})));
  expect_ok(run_covrl(short_run(dir + "/audit", audit)));
  expect_ok(run_covrl_ranks(2, short_run(dir + "/ranks", audit)));
  EXPECT_EQ(curves(dir + "/audit"), curves(dir + "/ranks"));
  for (const std::string file : {"/audit.jsonl", "/example_accuracy.jsonl"})
    EXPECT_EQ(read_file(dir + "/audit" + file), read_file(dir + "/ranks" + file)) << file;
  EXPECT_EQ(std::regex_replace(curves(dir + "/audit"), std::regex(" audit/[^ \n]*"), ""),
            curves(dir + "/plain"));
  double checked = 0, disagreed = 0;
  for (const auto& [step, metrics] : read_metrics(dir + "/audit/metrics.jsonl")) {
    checked += metrics.at("audit/checked");
    disagreed += metrics.at("audit/disagreed");
    EXPECT_EQ(metrics.at("audit/disagreed"), metrics.at("audit/only_second_correct"));
  }
  EXPECT_GT(checked, 0);
  EXPECT_LT(checked, 32);
  EXPECT_GT(disagreed, 0);
  EXPECT_EQ(static_cast<double>(rows_of(dir + "/audit/audit.jsonl").size()), disagreed);
}

// What is refused, and what the message names.
TEST(Rewards, KeysThatDoNothingAreRefused) {
  const std::string run = temporary_dir("rewards") + "/run";
  for (const auto& [overrides, wanted] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"verifier.numeric.rel_tol=0.1"}, "verifier.numeric"},
           {{"verifier.name=format", "verifier.math.rounding=true"}, "verifier.math"},
           {{"verifier.name=math_boxed", "verifier.math.loose=false"}, "loose have no effect"},
           {{"verifier.name=external_process"}, "command is required"},
           {{"verifier.name=external_library"}, "path is required"},
           {{"verifier.name=[math, math]"}, "given twice"},
           {{"verifier.name=[math, format]", "reward.weights=[1]"}, "reward.weights"},
           {{"reward.audit.share=0.5"}, "reward.audit.share"},
           {{"verifier.name=[math, format]", "reward.audit.verifier=math"},
            "reward.audit.verifier"},
           {{"reward.audit.verifier=math_boxed"}, "reward.audit.verifier"}}) {
    std::vector<std::string> words = short_run(run, overrides);
    words.push_back("--dry-run");
    const ProgramResult result = run_covrl(words);
    EXPECT_EQ(result.status, 2) << wanted;
    EXPECT_NE(result.err.find(wanted), std::string::npos) << result.err;
  }
}

class VerifyCommand : public ::testing::Test {
 protected:
  ProgramResult verify(const std::string& rows, std::vector<std::string> words) {
    std::ofstream(file_, std::ios::binary) << rows;
    words.insert(words.begin(), {"verify", "--input", file_});
    return run_covrl(words);
  }
  std::string file_ = temporary_dir("verify") + "/rows.jsonl";
};

constexpr const char* kRow =
    "{\"id\": 1, \"gold\": \"2\", \"completion\": \"\\\\boxed{2.1}\", \"kept\": true}\n";

TEST_F(VerifyCommand, TakesTheKeysOfATrainingRun) {
  const ProgramResult strict = verify(kRow, {"--verifier", "numeric"}),
                      loose =
                          verify(kRow, {"--verifier", "numeric", "verifier.numeric.abs_tol=0.2"}),
                      sum = verify(kRow, {"verifier.name=[math,format]", "reward.weights=[1,0.5]"});
  expect_ok(strict), expect_ok(loose), expect_ok(sum);
  EXPECT_EQ(Json::parse(strict.out)["outcome"], "wrong");
  EXPECT_EQ(Json::parse(loose.out)["outcome"], "correct");
  EXPECT_EQ(Json::parse(loose.out)["kept"], true);
  EXPECT_EQ(Json::parse(sum.out)["score"], 0.5);
  EXPECT_NE(sum.err.find("1 verified: 0 correct, 1 wrong"), std::string::npos) << sum.err;
}

TEST_F(VerifyCommand, ExplainsEachVerdict) {
  const ProgramResult one = verify(kRow, {"--explain"}),
                      two = verify(kRow, {"--explain", "verifier.name=[exact,format]"});
  expect_ok(one), expect_ok(two);
  const Json seen = Json::parse(one.out)["explanation"];
  EXPECT_EQ(seen["source"], "box");
  EXPECT_EQ(seen["extracted"], "2.1");
  EXPECT_EQ(seen["gold"], "2");
  EXPECT_EQ(Json::parse(two.out)["explanation"].size(), 2u);
}

TEST_F(VerifyCommand, ANullExtraInfoIsNone) {
  expect_ok(verify("{\"gold\":\"1\",\"completion\":\"1\",\"extra_info\":null}", {}));
}

TEST_F(VerifyCommand, MistakesNameFileAndLine) {
  const std::string second = std::string(kRow) + "{\"id\": 2, \"gold\": 3}\n";
  const ProgramResult row = verify(second, {}), key = verify(kRow, {"verifier.numerc.abs_tol=1"}),
                      extra = verify("{\"gold\":\"1\",\"completion\":\"1\",\"extra_info\":3}", {});
  for (const ProgramResult* result : {&row, &key, &extra}) EXPECT_EQ(result->status, 2);
  EXPECT_NE(row.err.find("rows.jsonl:2: missing key \"completion\""), std::string::npos) << row.err;
  EXPECT_NE(key.err.find("did you mean 'verifier.numeric'"), std::string::npos) << key.err;
  EXPECT_NE(extra.err.find("rows.jsonl:1: \"extra_info\" must be an object"), std::string::npos)
      << extra.err;
}

}  // namespace
}  // namespace covrl::testing
