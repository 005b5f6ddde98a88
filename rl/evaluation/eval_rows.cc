#include "rl/evaluation/eval_rows.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>

#include "core/error.h"
#include "core/step_log.h"
#include "rl/judge_text.h"
#include "rollout/field_value.h"

namespace covrl {

namespace {

constexpr std::array kDecodings = {Decoding::kGreedy, Decoding::kSampled};
constexpr std::array kOutcomes = {Outcome::kCorrect, Outcome::kWrong, Outcome::kUnparsed,
                                  Outcome::kFailed};
constexpr std::array kFinishReasons = {FinishReason::kStop, FinishReason::kLength,
                                       FinishReason::kFailed};

template <class Enum, size_t N>
Enum get_word(const Json& row, const char* key, const std::string& where,
              const std::array<Enum, N>& values, const char* (*name)(Enum)) {
  const std::string text = get_string(row, key, where);
  std::string known;
  for (const Enum value : values) {
    if (text == name(value)) return value;
    known += (known.empty() ? "" : ", ") + std::string(name(value));
  }
  throw_usage(where, ": \"", key, "\" is '", text, "'; one of ", known);
}

bool has(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && !found->is_null();
}

std::string optional_string(const Json& row, const char* key, const std::string& where) {
  return has(row, key) ? get_string(row, key, where) : "";
}

const Json& object_of(const Json& row, const char* key, const std::string& where) {
  const Json& value = row.at(key);
  if (!value.is_object())
    throw_usage(where, ": \"", key, "\" must be an object, got ", value.type_name());
  return value;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

// What of a problem's extra_info its rows keep.
std::string kept_extra_info(const std::string& extra_info, const std::string& judge) {
  if (extra_info.empty() || is_external(judge)) return extra_info;
  const Json given = parse_json(extra_info, "extra_info");
  Json kept = Json::object();
  for (const auto& [key, value] : given.items())
    if (is_field_value(value) || key == "choices") kept[key] = value;
  return kept.empty() ? "" : dump(kept);
}

// Says which steps there are; the rows hold some.
[[noreturn]] void throw_no_step(const std::string& source, const std::set<int64_t>& steps) {
  std::string known;
  for (const int64_t step : steps) known += concat(known.empty() ? "" : ", ", step);
  throw_usage(source, ": holds no row of that step; ",
              known.empty() ? "its rows name no step" : "its steps are " + known);
}

}  // namespace

EvalSource parse_eval_source(const std::string& source) {
  EvalSource result{source, {}};
  const size_t at = source.rfind('@');
  if (at != std::string::npos && !std::filesystem::exists(source)) {
    const std::string digits = source.substr(at + 1);
    if (digits.empty() || digits.size() > 15 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      throw_usage(source, ": no such file; after '@' comes the number of a step");
    result = {source.substr(0, at), std::stoll(digits)};
  }
  if (std::filesystem::is_directory(result.path)) result.path += "/eval_samples.jsonl";
  return result;
}

const char* decoding_name(Decoding decoding) {
  return decoding == Decoding::kGreedy ? "greedy" : "sampled";
}

bool is_usable(const EvalRow& row) {
  return row.finish_reason != FinishReason::kFailed && row.verdict.outcome != Outcome::kFailed;
}

EvalRow make_eval_row(const EvalOrigin& origin, const std::string& benchmark, const Prompt& prompt,
                      Decoding decoding, int64_t sample, const Trajectory& trajectory) {
  EvalRow row;
  row.step = origin.step;
  row.checkpoint = origin.checkpoint;
  row.benchmark = benchmark;
  row.id = prompt.id;
  row.sample = sample;
  row.decoding = decoding;
  row.fields = prompt.fields;
  row.data_source = prompt.data_source;
  if (const auto judge = origin.judges.find(benchmark); judge != origin.judges.end())
    row.verifier = judge->second;
  row.extra_info = kept_extra_info(prompt.extra_info, row.verifier);
  row.prompt = prompt_text(prompt);
  row.gold = prompt.gold;
  row.response = trajectory.text;
  row.finish_reason = trajectory.finish_reason;
  row.num_tokens = static_cast<int64_t>(trajectory.tokens.size());
  row.mean_entropy = mean_entropy(trajectory);
  row.verdict = trajectory.verdict;
  return row;
}

Json to_json(const EvalRow& row) {
  Json json = Json::object();
  if (row.step) json["step"] = *row.step;
  if (!row.checkpoint.empty()) json["checkpoint"] = row.checkpoint;
  json["benchmark"] = row.benchmark;
  json["id"] = row.id;
  json["sample"] = row.sample;
  json["decoding"] = decoding_name(row.decoding);
  for (const auto& [key, value] : row.fields) json["fields"][key] = value;
  if (!row.data_source.empty()) json["data_source"] = row.data_source;
  if (!row.extra_info.empty()) json["extra_info"] = parse_json(row.extra_info, "extra_info");
  json["prompt"] = row.prompt;
  json["gold"] = row.gold;
  json["response"] = row.response;
  if (!row.verifier.empty()) json["verifier"] = row.verifier;
  json["outcome"] = outcome_name(row.verdict.outcome);
  json["score"] = row.verdict.outcome == Outcome::kFailed ? Json(nullptr) : Json(row.verdict.score);
  json["extracted"] = row.verdict.extracted;
  if (!row.verdict.reason.empty()) json["reason"] = row.verdict.reason;
  json["finish_reason"] = finish_reason_name(row.finish_reason);
  json["num_tokens"] = row.num_tokens;
  json["mean_entropy"] = row.mean_entropy ? Json(*row.mean_entropy) : Json(nullptr);
  return json;
}

std::string to_jsonl(const std::vector<EvalRow>& rows) {
  std::string lines;
  for (const EvalRow& row : rows)
    lines += to_json(row).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return lines;
}

EvalRow parse_eval_row(const Json& json, const std::string& where) {
  EvalRow row;
  if (has(json, "step")) row.step = get_int(json, "step", where);
  row.checkpoint = optional_string(json, "checkpoint", where);
  row.benchmark = get_string(json, "benchmark", where);
  row.id = get_string(json, "id", where);
  row.sample = get_int(json, "sample", where);
  row.decoding = get_word(json, "decoding", where, kDecodings, decoding_name);
  if (has(json, "fields"))
    for (const auto& [key, value] : object_of(json, "fields", where).items())
      row.fields.emplace_back(key, value.is_string() ? value.get<std::string>() : dump(value));
  row.data_source = optional_string(json, "data_source", where);
  if (has(json, "extra_info")) row.extra_info = dump(object_of(json, "extra_info", where));
  row.prompt = optional_string(json, "prompt", where);
  row.gold = get_string(json, "gold", where);
  row.response = get_string(json, "response", where);
  row.verifier = optional_string(json, "verifier", where);
  row.verdict.outcome = get_word(json, "outcome", where, kOutcomes, outcome_name);
  if (has(json, "score")) row.verdict.score = get_double(json, "score", where);
  row.verdict.extracted = get_string(json, "extracted", where);
  row.verdict.reason = optional_string(json, "reason", where);
  row.finish_reason = get_word(json, "finish_reason", where, kFinishReasons, finish_reason_name);
  row.num_tokens = get_int(json, "num_tokens", where);
  if (has(json, "mean_entropy")) row.mean_entropy = get_double(json, "mean_entropy", where);
  return row;
}

std::vector<EvalRow> read_eval_rows(const std::string& source) {
  const EvalSource wanted = parse_eval_source(source);
  std::vector<EvalRow> rows;
  std::set<int64_t> steps;
  std::set<std::tuple<int64_t, std::string, std::string, std::string, Decoding, int64_t>> seen;
  read_log(wanted.path, [&](int64_t line, const Json& json) {
    const std::string where = concat(wanted.path, ":", line);
    EvalRow row = parse_eval_row(json, where);
    if (row.step) steps.insert(*row.step);
    if (wanted.step && row.step != wanted.step) return;
    if (!seen.emplace(row.step.value_or(-1), row.checkpoint, row.benchmark, row.id, row.decoding,
                      row.sample)
             .second)
      throw_usage(where, ": response ", row.sample, " (", decoding_name(row.decoding), ") to '",
                  row.id, "' of ", row.benchmark,
                  " comes a second time; are these two evaluations in one file?");
    rows.push_back(std::move(row));
  });
  if (rows.empty() && wanted.step) throw_no_step(source, steps);
  if (rows.empty()) throw_usage(wanted.path, ": holds no rows");
  return rows;
}

bool may_be_replaced_by_rows(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) return true;
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (!std::getline(file, line)) return true;
  try {
    parse_eval_row(parse_json(line, path), path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::map<std::string, std::set<std::string>> judges_of(const std::vector<EvalRow>& rows) {
  std::map<std::string, std::set<std::string>> judges;
  for (const EvalRow& row : rows)
    if (!row.verifier.empty()) judges[row.benchmark].insert(row.verifier);
  return judges;
}

}  // namespace covrl
