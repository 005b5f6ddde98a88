#include "rl/evaluation/eval_rules.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "rollout/prompt_style.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

// Whether one of the words is KEY=...
bool gives(const std::vector<std::string>& words, const std::string& key) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word.starts_with(key + "="); });
}

// Takes the key=value words off the end of "FILE:key=value:key=value".
std::vector<std::string> take_words(std::string& text) {
  std::vector<std::string> words;
  for (size_t colon = text.rfind(':'); colon != std::string::npos; colon = text.rfind(':')) {
    const std::string word = text.substr(colon + 1);
    if (word.find('=') == std::string::npos) break;
    words.insert(words.begin(), word);
    text.resize(colon);
  }
  return words;
}

void check_words(const std::string& text, const std::string& path,
                 const std::vector<std::string>& words) {
  const size_t colon = path.rfind(':');
  if (colon != std::string::npos && std::filesystem::path(path.substr(0, colon)).has_extension() &&
      !std::filesystem::exists(path))
    throw_usage(text, ": '", path.substr(colon + 1), "' is no rule; a rule is KEY=VALUE");
  std::set<std::string> keys;
  for (const std::string& word : words)
    if (!keys.insert(word.substr(0, word.find('='))).second)
      throw_usage(text, ": ", word.substr(0, word.find('=')), " is given twice");
}

// Faults of words that no file holds are told without a place.
std::string without_place(const std::string& fault) {
  const std::string place = "configuration: ";
  return fault.starts_with(place) ? fault.substr(place.size()) : fault;
}

// Draws and a temperature, or neither.
void check_draws(const std::string& text, const std::vector<std::string>& words,
                 const EvalRules& rules) {
  if (!rules.asks())
    throw_usage(text, ": samples is 0 and greedy is false: nothing would be evaluated; set one");
  for (const char* key : {"temperature", "top_p"})
    if (rules.samples == 0 && gives(words, key))
      throw_usage(text, ": ", key, " has no effect: the set has its greedy response alone; give ",
                  "samples=N as well, or leave ", key, " out");
  if (rules.samples > 0 && rules.temperature == 0)
    throw_usage(
        text, ": ", rules.samples, " samples at temperature 0 would be the same response ",
        "each time; give the set temperature=T as well, or greedy=true in place of samples");
}

}  // namespace

void EvalRules::describe(config::Visitor& v) {
  std::vector<std::string> verifiers = verifier_names();
  verifiers.insert(verifiers.begin(), "main");
  v.field("samples", samples, "Samples per problem at `temperature`; 0: none.", {0, 65536});
  v.field("temperature", temperature, "Temperature of the samples.", {1e-3, 100});
  v.field("top_p", top_p, "Nucleus of the samples; 1: off.", {1e-6, 1});
  v.field("greedy", greedy, "Also one greedy completion per problem.");
  v.field("max_problems", max_problems, "First problems of each set; 0: all.", {0, 1e9});
  v.field("max_new_tokens", max_new_tokens, "Longest completion; 0: that of the rollout.",
          {0, 1e7});
  v.word("verifier", verifier, "Who judges; main: the verifier of the run, with all its names.",
         verifiers);
  v.word("prompt_style", prompt_style,
         "How a problem is put to the model (docs/evaluation.md); given: as the section data says.",
         prompt_style_names());
  v.field("few_shot", few_shot,
          "Problem file whose rows (problem, and solution or answer) stand before each problem.");
  v.field("shots", shots, "First distinct examples of few_shot; 0: all.", {0, 1000});
  v.check(shots == 0 || !few_shot.empty(), "shots",
          "has no effect without few_shot; name a file of examples, or remove the key");
}

EvalFile parse_eval_file(const std::string& text, const EvalRules& base) {
  EvalFile file{text, "", base};
  const std::vector<std::string> words = take_words(file.path);
  check_words(text, file.path, words);
  if (gives(words, "samples") && !gives(words, "greedy")) file.rules.greedy = false;
  if (gives(words, "greedy") && !gives(words, "samples")) file.rules.samples = 0;
  try {
    config::load({{}, words}, [&](config::Visitor& v) { file.rules.describe(v); });
  } catch (const Error& error) {
    throw_usage(text, ": ", without_place(error.what()));
  }
  check_draws(text, words, file.rules);
  file.name = std::filesystem::path(file.path).stem().string();
  return file;
}

std::vector<EvalFile> parse_eval_files(const std::vector<std::string>& texts,
                                       const EvalRules& base) {
  std::vector<EvalFile> files;
  std::set<std::string> names;
  for (const std::string& text : texts) {
    files.push_back(parse_eval_file(text, base));
    if (!names.insert(files.back().name).second)
      throw_usage(text, ": a set named '", files.back().name,
                  "' exists already; sets are named after the file's stem, so rename the file");
  }
  return files;
}

}  // namespace covrl
