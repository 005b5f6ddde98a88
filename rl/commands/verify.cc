#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/verifier_words.h"

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

std::string extra_info_of(const Json& row) {
  const Json& value = row["extra_info"];
  if (value.is_null()) return "";
  if (!value.is_object())
    throw_usage("\"extra_info\" must be an object {...} or null, got ", value.type_name(),
                "; put the value under a key of its own in an object, or leave the field out");
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const Explanation& seen) {
  Json json = Json::object();
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
  };
  add("source", seen.source);
  add("extracted", seen.extracted);
  add("gold", seen.gold);
  add("answer", seen.answer);
  add("compared", seen.compared);
  if (seen.steps > 0) json["steps"] = seen.steps;
  add("reason", seen.reason);
  return json;
}

enum class Explain { kNo, kYes };

// The row with the verdict's fields; other fields are carried through.
Json judged(const Verifier& verifier, const Json& row, const std::string& where, Explain explain,
            Tally& tally) {
  const std::string completion = get_string(row, "completion", where);
  const std::string gold = get_string(row, "gold", where);
  const std::string source =
      row.contains("data_source") ? get_string(row, "data_source", where) : "";
  const std::string extra_info = row.contains("extra_info") ? extra_info_of(row) : "";
  const VerifyRequest request{completion, gold, source, extra_info};
  const Verdict verdict = verifier.verify(request);
  tally.add(verdict);
  Json result = row;
  result.erase("completion");
  result["outcome"] = outcome_name(verdict.outcome);
  result["score"] = verdict.outcome == Outcome::kFailed ? Json(nullptr) : Json(verdict.score);
  result["extracted"] = verdict.extracted;
  result["seconds"] = verdict.seconds;
  if (!verdict.reason.empty()) result["reason"] = verdict.reason;
  if (explain == Explain::kYes) {
    Json all = Json::array();
    for (const Explanation& seen : verifier.explain(request)) all.push_back(to_json(seen));
    result["explanation"] = all.size() == 1 ? all[0] : all;
  }
  return result;
}

}  // namespace

int run_verify(const std::vector<std::string>& args) {
  std::string input, output, device = "auto";
  VerifierWords words;
  bool explain = false;
  cli::Parser parser("covrl verify", "Judges completions against gold answers.",
                     "covrl verify --input completions.jsonl --verifier math");
  parser
      .option("--input", input,
              "rows {\"id\",\"gold\",\"completion\"}, perhaps \"data_source\", \"extra_info\"; - "
              "reads stdin")
      .required();
  parser.option("--output", output, "file for the verdicts; default: stdout");
  add_verifier_words(parser, words);
  parser.flag("--explain", explain,
              "adds \"explanation\": what was extracted, parsed and compared, and why the verdict");
  add_device_option(parser, device, kDeviceIsUnused);
  parser.parse(args);

  const std::unique_ptr<Verifier> verifier = make_verifier(words);
  install_interrupt_handlers();
  JsonlOutput out(output, {{"--input", input}});
  Tally tally;
  const std::string place = input == "-" ? "stdin" : input;
  read_jsonl(input, [&](int64_t line, const Json& row) {
    if (interrupt_requested()) throw_runtime("interrupted before line ", line);
    out.write(judged(*verifier, row, concat(place, ":", line),
                     explain ? Explain::kYes : Explain::kNo, tally));
  });
  log::info(tally.summary());
  return 0;
}

}  // namespace covrl
