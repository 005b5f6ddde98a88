// eval and compare as their users run them, on data/tiny.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

class Eval : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("eval");

  // covrl eval on a few problems, its rows in `name`.
  std::vector<std::string> words(const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> all = {"eval",    "--model",  source_path("data/tiny/model"),
                                    "--limit", "6",        "--max-new-tokens",
                                    "40",      "--output", dir_ + "/" + name};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> sampled(const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--benchmark", source_path("data/tiny/test.jsonl"), "--samples", "3",
                             "--temperature", "1"});
    return words(name, more);
  }

  std::string file(const std::string& name) { return read_file(dir_ + "/" + name); }

  static ProgramResult ok(const ProgramResult& result) {
    EXPECT_EQ(result.status, 0) << result.err;
    return result;
  }

  static void expect_refused(const std::vector<std::string>& words, const std::string& mention) {
    const ProgramResult result = run_covrl(words);
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.err.find(mention), std::string::npos) << result.err;
  }
};

TEST_F(Eval, OneSeedGivesTheSameFilesWhateverTheBatchAndTheRanks) {
  const ProgramResult first = ok(run_covrl(sampled("a.jsonl")));
  const std::string rows = file("a.jsonl");
  EXPECT_EQ(std::ranges::count(rows, '\n'), 18);
  EXPECT_EQ(ok(run_covrl(sampled("b.jsonl", {"--max-batch", "5"}))).out, first.out);
  EXPECT_EQ(file("b.jsonl"), rows);
  EXPECT_EQ(ok(run_covrl_ranks(2, sampled("c.jsonl"))).out, first.out);
  EXPECT_EQ(file("c.jsonl"), rows);
  ok(run_covrl(sampled("d.jsonl", {"--seed", "2"})));
  EXPECT_NE(file("d.jsonl"), rows);
}

// Rows of a file with these problems, sorted, and the table that was printed.
struct Told {
  std::vector<std::string> rows;
  std::string table;
};

TEST_F(Eval, ResponsesFollowTheProblemAndNotItsPlace) {
  std::vector<std::string> problems;
  read_jsonl(source_path("data/tiny/test.jsonl"), [&](int64_t, const Json& row) {
    if (problems.size() < 6) problems.push_back(row.dump());
  });
  const auto tell = [&](const std::vector<std::string>& set) {
    std::ofstream out(dir_ + "/set.jsonl");
    for (const std::string& problem : set) out << problem << "\n";
    out.close();
    Told told;
    const std::string set_rules = dir_ + "/set.jsonl:greedy=true:samples=3:temperature=1";
    told.table = ok(run_covrl(words("rows.jsonl", {"--benchmark", set_rules}))).out;
    read_jsonl(dir_ + "/rows.jsonl",
               [&](int64_t, const Json& row) { told.rows.push_back(row.dump()); });
    std::ranges::sort(told.rows);
    return told;
  };
  const Told told = tell(problems);
  EXPECT_EQ(told.rows.size(), 24u);
  std::ranges::reverse(problems);
  const Told reversed = tell(problems);
  EXPECT_EQ(reversed.rows, told.rows);
  EXPECT_EQ(reversed.table, told.table);
  problems.resize(2);
  const Told part = tell(problems);
  EXPECT_EQ(part.rows.size(), 8u);
  EXPECT_TRUE(std::ranges::includes(told.rows, part.rows));
}

// As in files that hold each problem many times in order to sample it as often.
TEST_F(Eval, CopiesOfAProblemAreSampledApart) {
  std::ofstream out(dir_ + "/set.jsonl");
  for (int copy = 0; copy < 8; ++copy)
    out << R"({"id":")" << copy << R"(","problem":"What is 1 + 1?","answer":"2"})"
        << "\n";
  out.close();
  ok(run_covrl(words(
      "rows.jsonl", {"--benchmark", dir_ + "/set.jsonl", "--samples", "1", "--temperature", "1"})));
  std::set<std::string> responses;
  read_jsonl(dir_ + "/rows.jsonl", [&](int64_t, const Json& row) {
    responses.insert(row["response"].get<std::string>());
  });
  EXPECT_GT(responses.size(), 1u);
}

TEST_F(Eval, ColumnsMayBeNamed) {
  std::ofstream(dir_ + "/set.jsonl") << R"({"Task":"What is 1 + 1?","answer":"3","Target":2})"
                                     << "\n";
  ok(run_covrl(words("rows.jsonl", {"--benchmark", dir_ + "/set.jsonl", "--prompt-key", "Task",
                                    "--label-key", "Target"})));
  int64_t num_rows = 0;
  read_jsonl(dir_ + "/rows.jsonl", [&](int64_t, const Json& row) {
    ++num_rows;
    EXPECT_EQ(row["prompt"], "What is 1 + 1?");
    EXPECT_EQ(row["gold"], "2");
  });
  EXPECT_GT(num_rows, 0);
}

TEST_F(Eval, ProblemsThatShareAnIdAreToldApart) {
  std::ofstream(dir_ + "/set.jsonl") << R"({"id":"x","problem":"What is 1 + 1?","answer":"2"})"
                                     << "\n"
                                     << R"({"id":"x","problem":"What is 2 + 2?","answer":"4"})"
                                     << "\n";
  ok(run_covrl(words("rows.jsonl", {"--benchmark", dir_ + "/set.jsonl"})));
  std::vector<std::string> ids;
  read_jsonl(dir_ + "/rows.jsonl",
             [&](int64_t, const Json& row) { ids.push_back(row["id"].get<std::string>()); });
  EXPECT_EQ(ids, (std::vector<std::string>{"x", "x:1"}));
}

TEST_F(Eval, KeptResponsesTellTheSameFiguresAndAreJudgedAgain) {
  const std::string table = ok(run_covrl(sampled("a.jsonl"))).out;
  const std::string kept = dir_ + "/a.jsonl";
  EXPECT_EQ(ok(run_covrl({"eval", "--responses", kept})).out, table);
  EXPECT_NE(ok(run_covrl({"eval", "--responses", kept, "--by", "family"})).out.find("shopping"),
            std::string::npos);
  const ProgramResult same = ok(run_covrl(
      {"eval", "--responses", kept, "--verifier", "math", "--output", dir_ + "/same.jsonl"}));
  EXPECT_NE(same.err.find("0 of 18 verdicts changed"), std::string::npos) << same.err;
  EXPECT_EQ(file("same.jsonl"), file("a.jsonl"));
  ok(run_covrl(
      {"eval", "--responses", kept, "--verifier", "format", "--output", dir_ + "/f.jsonl"}));
  int64_t num_correct = 0, num_unboxed = 0;
  read_jsonl(dir_ + "/f.jsonl", [&](int64_t, const Json& row) {
    const bool has_box = row["response"].get<std::string>().find("\\boxed{") != std::string::npos;
    const bool correct = row["outcome"] == "correct";
    EXPECT_TRUE(has_box || !correct);
    num_correct += correct;
    num_unboxed += !has_box;
  });
  EXPECT_GT(num_correct, 0);
  EXPECT_GT(num_unboxed, 0);
}

TEST_F(Eval, RowsOfSeveralJudgesAreToldApart) {
  ok(run_covrl(sampled("a.jsonl", {"--verifier", "math"})));
  const std::string kept = dir_ + "/a.jsonl", other = dir_ + "/b.jsonl", mixed = dir_ + "/c.jsonl";
  const ProgramResult one = ok(run_covrl({"eval", "--responses", kept}));
  EXPECT_EQ(one.err.find("warning"), std::string::npos) << one.err;
  ok(run_covrl({"eval", "--responses", kept, "--output", other, "--verifier", "numeric",
                "verifier.numeric.rel_tol=0.01"}));
  const std::string numeric = "numeric verifier.numeric.rel_tol=0.01";
  const ProgramResult compared = ok(run_covrl({"compare", kept, other}));
  EXPECT_NE(compared.err.find("warning: test: A was judged by math, B by " + numeric),
            std::string::npos)
      << compared.err;
  std::string rows = file("a.jsonl");
  rows.resize(rows.find('\n') + 1);
  const std::string rest = file("b.jsonl");
  write_file_atomically(mixed, rows + rest.substr(rest.find('\n') + 1));
  const ProgramResult told = ok(run_covrl({"eval", "--responses", mixed}));
  EXPECT_NE(told.err.find("several verifiers judged its responses: math, " + numeric),
            std::string::npos)
      << told.err;
}

TEST_F(Eval, AFailureLeavesTheOutputAsItWas) {
  ok(run_covrl(sampled("a.jsonl")));
  const std::string rows = file("a.jsonl");
  std::vector<std::string> no_model = sampled("a.jsonl");
  *(std::ranges::find(no_model, "--model") + 1) = dir_ + "/none";
  expect_refused(no_model, dir_ + "/none");
  expect_refused(sampled("a.jsonl", {"--prompt-style", "llama"}), "prompt style llama");
  EXPECT_EQ(file("a.jsonl"), rows);
  expect_refused(sampled("none/a.jsonl"), "/none; make it first");
}

TEST_F(Eval, KeptResponsesMayBeReplacedByTheirNewVerdicts) {
  ok(run_covrl(sampled("a.jsonl")));
  const std::string kept = dir_ + "/a.jsonl";
  ok(run_covrl({"eval", "--responses", kept, "--verifier", "format", "--output", kept}));
  EXPECT_EQ(std::ranges::count(file("a.jsonl"), '\n'), 18);
  const ProgramResult again = ok(run_covrl({"eval", "--responses", kept, "--verifier", "format"}));
  EXPECT_NE(again.err.find("0 of 18 verdicts changed"), std::string::npos) << again.err;
}

TEST_F(Eval, CompareTellsProblemsThatOneFileAloneHas) {
  ok(run_covrl(sampled("a.jsonl")));
  std::vector<std::string> fewer = sampled("b.jsonl", {"--seed", "2"});
  *(std::ranges::find(fewer, "--limit") + 1) = "4";
  ok(run_covrl(fewer));
  const ProgramResult result = ok(run_covrl({"compare", dir_ + "/a.jsonl", dir_ + "/b.jsonl"}));
  EXPECT_NE(result.out.find("only in A: 2 (test-4, test-5)"), std::string::npos) << result.out;
  const ProgramResult rows =
      ok(run_covrl({"compare", dir_ + "/a.jsonl", dir_ + "/b.jsonl", "--format", "jsonl"}));
  const Json row = parse_json(rows.out, "stdout");
  EXPECT_EQ(row["problems"], 4);
  EXPECT_EQ(row["only_a"].size(), 2U);
}

TEST_F(Eval, ARunsResponsesTellTheMetricsOfTheRun) {
  const std::string run = dir_ + "/run";
  ok(run_covrl(tiny_train_words(run)));
  const ProgramResult told =
      ok(run_covrl({"eval", "--responses", run + "@4", "--format", "jsonl"}));
  const Metrics last = read_metrics(run + "/metrics.jsonl").back().second;
  std::ofstream(dir_ + "/told.jsonl") << told.out;
  int64_t num_rows = 0;
  read_jsonl(dir_ + "/told.jsonl", [&](int64_t, const Json& row) {
    ++num_rows;
    const std::string set = row["benchmark"].get<std::string>(), core = "val-core/" + set + "/acc/";
    if (row["decoding"] == "greedy") {
      EXPECT_EQ(row["accuracy"].get<double>(), last.at(core + "greedy"));
      return;
    }
    EXPECT_EQ(row["accuracy"].get<double>(), last.at(core + "mean@2"));
    EXPECT_EQ(row["pass"]["2"].get<double>(), last.at(core + "pass@2"));
    EXPECT_EQ(row["majority"].get<double>(), last.at(core + "maj@2"));
    for (const char* name :
         {"length", "parsed", "boxed", "truncated", "reflection", "degenerate", "entropy"})
      EXPECT_EQ(row[name].get<double>(), last.at("val-aux/" + set + "/" + name)) << name;
  });
  EXPECT_EQ(num_rows, 4);  // test and train, sampled and greedy
  EXPECT_NE(ok(run_covrl({"compare", run + "@0", run})).err.find("step 4 (its last)"),
            std::string::npos);
}

TEST_F(Eval, WordsWithoutEffectAreRefused) {
  const std::string kept = dir_ + "/a.jsonl";
  std::ofstream(kept) << R"({"benchmark":"test","id":"1","sample":0,"decoding":"greedy",)"
                      << R"("fields":{"family":"ages"},"gold":"7","response":"7",)"
                      << R"("outcome":"correct","score":1,"extracted":"7",)"
                      << R"("finish_reason":"stop","num_tokens":2})"
                      << "\n";
  expect_refused({"eval", "--benchmark", source_path("data/tiny/test.jsonl")}, "--responses");
  expect_refused({"eval", "--responses", kept, "--seed", "2"}, "--seed is about sampling");
  expect_refused({"eval", "--responses", kept, "--output", dir_ + "/x.jsonl"}, "--verifier");
  expect_refused({"eval", "--responses", kept, "--by", "subject"}, "the fields are family");
  expect_refused({"eval", "--responses", kept, "--reflection-words", "a,,b"}, "empty word");
  expect_refused({"eval", "--responses", kept + "@3"}, "no step");
  expect_refused({"eval", "--responses", source_path("data/tiny/test.jsonl")}, "test.jsonl:1");
  expect_refused({"compare", kept}, "give two");
}

}  // namespace
}  // namespace covrl::testing
