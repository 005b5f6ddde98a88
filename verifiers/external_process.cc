// Who waits for whom: this file starts no threads. Each thread that verifies borrows a process of
// its own from the idle ones (starting one where none is idle), talks to it alone, and gives it
// back; the mutex guards the list of idle ones and is never held while a process is waited for. So
// there are as many processes as threads, and a slow answer holds up nobody else. A process that
// crashed, was late, or broke the protocol is killed and not given back.
//
// The protocol, lines of JSON: the process first writes {"ready": true}; then for each line
// {"data_source", "solution_str", "ground_truth", "extra_info"} one line: a number, or an object
// with "score", and optionally "acc" (what accuracies count) and "pred" (the answer found).
// Anything else is a failed verdict.
#include <cmath>
#include <mutex>
#include <optional>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "verifiers/child_process.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

std::string request_line(const VerifyRequest& request) {
  Json extra = Json::object();
  if (!request.extra_info.empty())
    extra = Json::parse(request.extra_info, nullptr, /*allow_exceptions=*/false);
  return Json{{"data_source", request.data_source},
              {"solution_str", request.response},
              {"ground_truth", request.gold},
              {"extra_info", extra.is_discarded() ? Json::object() : extra}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parsed(const std::string& line) {
  return Json::parse(line, nullptr, /*allow_exceptions=*/false);
}

// A finite number, or true and false as 1 and 0.
std::optional<double> number(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (!value.is_number() || !std::isfinite(value.get<double>())) return std::nullopt;
  return value.get<double>();
}

std::optional<double> member(const Json& answer, const char* key) {
  return answer.is_object() && answer.contains(key) ? number(answer[key]) : std::nullopt;
}

// `detail` may differ from verdict to verdict: it is not part of the warning, which comes once.
Verdict failed(const std::string& reason, const std::string& detail = "") {
  log::warning("external_process: " + reason + "; such verdicts are failed");
  return {Outcome::kFailed, 0, "", 0, detail.empty() ? reason : reason + ": " + detail};
}

std::string shortened(const std::string& line) { return line.substr(0, 200); }

class ExternalProcess final : public Verifier {
 public:
  // Starts the first process, so that a command at fault is told at once.
  explicit ExternalProcess(const ExternalProcessOptions& options) : options_(options) {
    std::string fault;
    std::unique_ptr<ChildProcess> process = start(fault);
    if (process == nullptr)
      throw_usage("verifier.external_process.command: the process ", fault,
                  ", where the line {\"ready\": true} was expected; its own messages are above");
    give_back(std::move(process));
  }
  std::string name() const override { return "external_process"; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] { return judged(request); });
  }

 private:
  Verdict judged(const VerifyRequest& request) const {
    const std::string asked = request_line(request);
    std::string line, fault;
    if (std::unique_ptr<ChildProcess> process = idle()) {
      if (process->exchange(asked, ChildProcess::after(options_.timeout), line))
        return answered(std::move(process), line);
      if (!process->ended()) return failed("the process " + process->fault());
      // It may have been ending since the answer before: a new one tells whose doing it was.
    }
    std::unique_ptr<ChildProcess> process;
    try {
      process = start(fault);
    } catch (const Error& error) {  // no program any more, or for now no process or file left
      fault = error.what();
    }
    if (process == nullptr) return failed("a new process was not ready", fault);
    if (!process->exchange(asked, ChildProcess::after(options_.timeout), line))
      return failed("the process " + process->fault());
    return answered(std::move(process), line);
  }

  Verdict answered(std::unique_ptr<ChildProcess> process, const std::string& line) const {
    if (process->is_waiting()) give_back(std::move(process));
    return verdict_of(line);
  }

  Verdict verdict_of(const std::string& line) const {
    const Json answer = parsed(line);
    std::optional<double> score = member(answer, "score");
    if (!score) score = number(answer);
    if (!score) return failed("the process gave no score", shortened(line));
    Verdict verdict;
    verdict.score = *score;
    const bool correct = member(answer, "acc").value_or(*score) >= options_.correct_from;
    verdict.outcome = correct ? Outcome::kCorrect : Outcome::kWrong;
    if (answer.is_object() && answer.contains("pred") && answer["pred"].is_string())
      verdict.extracted = answer["pred"].get<std::string>();
    return verdict;
  }

  // One that waits for a request; null: none does.
  std::unique_ptr<ChildProcess> idle() const {
    for (;;) {
      std::unique_ptr<ChildProcess> process;
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        process = std::move(idle_.back());
        idle_.pop_back();
      }
      if (process->is_waiting()) return process;
    }
  }

  // Null when it did not become ready: what it did instead is the fault. Error when it cannot be
  // started at all.
  std::unique_ptr<ChildProcess> start(std::string& fault) const {
    auto process = std::make_unique<ChildProcess>(options_.command);
    std::string line;
    if (!process->read_line(ChildProcess::after(options_.start_timeout), line)) {
      fault = process->fault();
      return nullptr;
    }
    if (member(parsed(line), "ready") == 1.0) return process;
    fault = "began with the line " + shortened(line);
    return nullptr;
  }

  void give_back(std::unique_ptr<ChildProcess> process) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(process));
  }

  ExternalProcessOptions options_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<ChildProcess>> idle_;
};

}  // namespace

std::unique_ptr<Verifier> make_external_process_verifier(const VerifierOptions& options) {
  return std::make_unique<ExternalProcess>(options.external_process);
}

}  // namespace covrl
