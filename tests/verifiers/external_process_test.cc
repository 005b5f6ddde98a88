#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "tests/support/paths.h"
#include "tests/support/run_program.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

constexpr double kAmple = 300;    // seconds: never reached
constexpr double kNoTime = 1e-3;  // seconds: for a process that never answers

std::unique_ptr<Verifier> make(const std::vector<std::string>& command, double timeout = kAmple,
                               double start_timeout = kAmple) {
  VerifierOptions options;
  options.external_process = {
      .command = command, .timeout = timeout, .start_timeout = start_timeout};
  return make_verifier("external_process", options);
}

std::unique_ptr<Verifier> make_shell(const std::string& script, double timeout = kAmple) {
  return make({"sh", "-c", "echo '{\"ready\": true}'; " + script}, timeout);
}

// Does what the request asks for.
constexpr const char* kObedient = R"(
while read -r line; do
  case "$line" in
    *half*) echo 0.5 ;;
    *less*) echo 0.49 ;;
    *minus*) echo -1 ;;
    *true*) echo true ;;
    *object*) echo '{"score": 0.25, "acc": true, "pred": "x", "other": [1]}' ;;
    *crash*) exit 3 ;;
    *abort*) kill -ABRT $$ ;;
    *null*) echo null ;;
    *error*) echo '{"error": "no"}' ;;
    *junk*) echo hello ;;
    *twice*) printf '0\n0\n' ;;
    *last*) echo 0; exit 0 ;;
    *) echo 1 ;;
  esac
done)";

Verdict ask(const Verifier& verifier, const std::string& response) {
  return verifier.verify({response, "gold", "source", "{}"});
}

TEST(ExternalProcess, NumbersAndObjectsAreScores) {
  const auto verifier = make_shell(kObedient);
  const auto expect = [&](const char* response, Outcome outcome, double score) {
    const Verdict verdict = ask(*verifier, response);
    EXPECT_EQ(verdict.outcome, outcome) << response;
    EXPECT_EQ(verdict.score, score) << response;
  };
  expect("good", Outcome::kCorrect, 1);
  expect("half", Outcome::kCorrect, 0.5);
  expect("less", Outcome::kWrong, 0.49);
  expect("minus", Outcome::kWrong, -1);
  expect("true", Outcome::kCorrect, 1);
  expect("object", Outcome::kCorrect, 0.25);
  EXPECT_EQ(ask(*verifier, "object").extracted, "x");
}

TEST(ExternalProcess, WhatIsNoScoreFailsAndTheNextRequestIsAnswered) {
  const auto verifier = make_shell(kObedient);
  for (const auto& [response, reason] :
       {std::pair<const char*, const char*>{"crash", "exit status 3"},
        {"abort", "signal 6"},
        {"null", "null"},
        {"error", "\"no\""},
        {"junk", "hello"}}) {
    const Verdict verdict = ask(*verifier, response);
    EXPECT_EQ(verdict.outcome, Outcome::kFailed) << response;
    EXPECT_NE(verdict.reason.find(reason), std::string::npos) << verdict.reason;
    EXPECT_EQ(ask(*verifier, "good").outcome, Outcome::kCorrect) << "after " << response;
  }
}

// The limit on open files, lowered while it lives.
class FewFiles {
 public:
  explicit FewFiles(rlim_t limit) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit lowered{limit, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  }
  ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewFiles(const FewFiles&) = delete;

 private:
  rlimit before_{};
};

TEST(ExternalProcess, AProcessThatCannotBeStartedInMidRunIsAFailedVerdict) {
  const std::string folder = testing::temporary_dir("process"), file = folder + "/reward.sh";
  std::ofstream(file) << "#!/bin/sh\necho '{\"ready\": true}'" << kObedient << '\n';
  ASSERT_EQ(chmod(file.c_str(), 0700), 0);
  const auto verifier = make({file});
  const auto expect_failed = [&](const char* reason) {
    const Verdict verdict = ask(*verifier, "good");
    EXPECT_EQ(verdict.outcome, Outcome::kFailed);
    EXPECT_NE(verdict.reason.find(reason), std::string::npos) << verdict.reason;
  };
  EXPECT_EQ(ask(*verifier, "crash").outcome, Outcome::kFailed);
  {
    const FewFiles few(3);
    expect_failed("Too many open files");
  }
  EXPECT_EQ(ask(*verifier, "good").outcome, Outcome::kCorrect);
  EXPECT_EQ(ask(*verifier, "crash").outcome, Outcome::kFailed);
  ASSERT_EQ(std::rename(file.c_str(), (file + ".away").c_str()), 0);
  expect_failed("No such file");
  ASSERT_EQ(std::rename((file + ".away").c_str(), file.c_str()), 0);
  EXPECT_EQ(ask(*verifier, "good").outcome, Outcome::kCorrect);
}

TEST(ExternalProcess, AnAnswerTooManyIsNotTakenForTheNext) {
  const auto verifier = make_shell(kObedient);
  for (const char* response : {"twice", "last"}) {
    EXPECT_EQ(ask(*verifier, response).outcome, Outcome::kWrong);
    EXPECT_EQ(ask(*verifier, "good").outcome, Outcome::kCorrect) << "after " << response;
  }
}

TEST(ExternalProcess, RequestsOfAnySizeAndBytesArrive) {
  const auto verifier = make_shell("while read -r line; do echo ${#line}; done");
  const double empty = ask(*verifier, "").score;
  EXPECT_EQ(ask(*verifier, std::string(500'000, 'a')).score, empty + 500'000);
  EXPECT_EQ(ask(*verifier, std::string(3, '\0')).score, empty + 18);  // \u0000 each
  EXPECT_EQ(ask(*verifier, "a\nb").score, empty + 4);
  EXPECT_GT(ask(*verifier, "\xff\xfe").score, empty);
}

TEST(ExternalProcess, OneThatHangsIsKilledWithAllItStarted) {
  const std::string fifo = testing::temporary_dir("process") + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto verifier = make_shell("tail -f /dev/null > " + fifo + " & wait", kNoTime);
  const int end = open(fifo.c_str(), O_RDONLY);  // waits for the grandchild
  const Verdict verdict = ask(*verifier, "anything");
  EXPECT_EQ(verdict.outcome, Outcome::kFailed);
  EXPECT_EQ(verdict.reason, "the process did not answer in time");
  char byte;
  EXPECT_EQ(read(end, &byte, 1), 0);  // no writer left
  close(end);
}

TEST(ExternalProcess, OneThatDoesNotReadIsKilled) {
  const auto verifier = make_shell("tail -f /dev/null", kNoTime);
  const Verdict verdict = ask(*verifier, std::string(3'000'000, 'a'));
  EXPECT_EQ(verdict.outcome, Outcome::kFailed);
  EXPECT_EQ(verdict.reason, "the process did not read the request in time");
}

TEST(ExternalProcess, NoProcessOutlivesTheVerifier) {
  const std::string file = testing::temporary_dir("process") + "/pid";
  make({"sh", "-c", "echo $$ > " + file + "; echo '{\"ready\": true}'; tail -f /dev/null"}).reset();
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ExternalProcess, ThreadsHaveProcessesOfTheirOwn) {
  const auto verifier = make_shell("while read -r line; do n=${line#*<}; echo ${n%%>*}; done");
  std::vector<std::thread> threads;
  std::vector<int> num_right(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i)
        num_right[t] += ask(*verifier, concat("<", 100 * t + i, ">")).score == 100 * t + i;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_right, std::vector<int>(4, 50));
}

std::string fault(const std::vector<std::string>& command, double start_timeout = kAmple) {
  try {
    make(command, kAmple, start_timeout);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "accepted";
}

TEST(ExternalProcess, ACommandThatNeverGetsReadyIsTheUsersMistake) {
  for (const auto& [message, wanted] :
       {std::pair<std::string, const char*>{fault({"no-such-program"}), "'no-such-program'"},
        {fault({"sh", "-c", "exit 4"}), "exit status 4"},
        {fault({"sh", "-c", "echo hello"}), "began with the line hello"},
        {fault({"tail", "-f", "/dev/null"}, kNoTime), "did not answer in time"}})
    EXPECT_NE(message.find(wanted), std::string::npos) << message;
}

TEST(ExternalProcess, AVerlRewardFileRunsUnchanged) {
  if (testing::run_program({"python3", "--version"}).status != 0)
    GTEST_SKIP() << "no python3 to run docs/examples/verl_reward.py";
  const std::string file = testing::temporary_dir("process") + "/reward.py";
  std::ofstream(file) << R"(
print("a message of the reward file")
def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    print("another")
    if data_source == "broken":
        raise ValueError("cannot judge")
    right = solution_str.endswith(ground_truth)
    return {"score": 0.9 * right + 0.1, "acc": right, "pred": extra_info.get("split")}
)";
  const auto verifier = make(
      {"python3", testing::source_path("docs/examples/verl_reward.py"), file, "compute_score"});
  const Verdict right = verifier->verify({"so x = 4", "4", "math", R"({"split": "train"})"});
  EXPECT_EQ(right.outcome, Outcome::kCorrect);
  EXPECT_EQ(right.score, 1);
  EXPECT_EQ(right.extracted, "train");
  const Verdict wrong = verifier->verify({"so x = 5", "4", "math"});
  EXPECT_EQ(wrong.outcome, Outcome::kWrong);
  EXPECT_EQ(wrong.score, 0.1);
  const Verdict broken = verifier->verify({"so x = 5", "4", "broken"});
  EXPECT_EQ(broken.outcome, Outcome::kFailed);
  EXPECT_NE(broken.reason.find("cannot judge"), std::string::npos) << broken.reason;
}

}  // namespace
}  // namespace covrl
