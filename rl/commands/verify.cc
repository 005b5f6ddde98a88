#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "core/cli.h"
#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "verifiers/verifier.h"

namespace covrl {

namespace {

struct Tally {
  std::array<int64_t, 4> count{};  // by Outcome
  double seconds = 0, longest = 0;
  int64_t total = 0;

  void add(const Verdict& verdict) {
    ++count[static_cast<size_t>(verdict.outcome)];
    ++total;
    seconds += verdict.seconds;
    longest = std::max(longest, verdict.seconds);
  }

  std::string summary() const {
    std::string text = concat(total, " verified: ");
    for (const Outcome outcome :
         {Outcome::kCorrect, Outcome::kWrong, Outcome::kUnparsed, Outcome::kFailed})
      text += concat(outcome == Outcome::kCorrect ? "" : ", ", count[static_cast<size_t>(outcome)],
                     " ", outcome_name(outcome));
    char timing[96] = "";
    if (total > 0)
      std::snprintf(timing, sizeof timing, "; %.1f us each, longest %.2f ms",
                    1e6 * seconds / static_cast<double>(total), 1e3 * longest);
    return text + timing;
  }
};

// The row with the verdict's fields; other fields are carried through.
Json judged(const Verifier& verifier, const Json& row, const std::string& where, Tally& tally) {
  const std::string completion = get_string(row, "completion", where);
  const std::string gold = get_string(row, "gold", where);
  const std::string source =
      row.contains("data_source") ? get_string(row, "data_source", where) : "";
  const Verdict verdict = verifier.verify({completion, gold, source});
  tally.add(verdict);
  Json result = row;
  result.erase("completion");
  result["outcome"] = outcome_name(verdict.outcome);
  result["score"] = verdict.outcome == Outcome::kFailed ? Json(nullptr) : Json(verdict.score);
  result["extracted"] = verdict.extracted;
  result["seconds"] = verdict.seconds;
  return result;
}

}  // namespace

int run_verify(const std::vector<std::string>& args) {
  std::string input, output, name = "math", device = "auto";
  cli::Parser parser("covrl verify", "Judges completions against gold answers.",
                     "covrl verify --input completions.jsonl --verifier math");
  parser.option("--input", input, "rows {\"id\",\"gold\",\"completion\"}; - reads stdin")
      .required();
  parser.option("--output", output, "file for the verdicts; default: stdout");
  parser.option("--verifier", name, "who judges").choices(verifier_names());
  add_device_option(parser, device, kDeviceIsUnused);
  parser.parse(args);

  const std::unique_ptr<Verifier> verifier = make_verifier(name);
  std::ofstream file;
  if (!output.empty()) {
    file.open(output, std::ios::binary);
    if (!file) throw_usage(output, ": cannot be written");
  }
  std::ostream& out = output.empty() ? std::cout : file;
  Tally tally;
  read_jsonl(input, [&](int64_t line, const Json& row) {
    out << judged(*verifier, row, concat(input, ":", line), tally)
               .dump(-1, ' ', false, Json::error_handler_t::replace)
        << '\n';
  });
  out.flush();
  if (!out) throw_runtime(output.empty() ? "stdout" : output, ": cannot be written");
  log::info(tally.summary());
  return 0;
}

}  // namespace covrl
