#include "rollout/data_config.h"

#include <charconv>
#include <functional>
#include <set>

#include "core/error.h"

namespace covrl {
namespace {

constexpr int64_t kMaxShare = 10'000'000;

// What a parser has against its input; "" when nothing.
std::string fault_of(const std::function<void()>& parse) {
  try {
    parse();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

int64_t parse_share(const std::string& text) {
  int64_t share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error != std::errc() || end != text.data() + text.size() || share < 1 || share > kMaxShare)
    throw_usage("an item is '", text, "'; each is a whole number in [1, ", kMaxShare, "]");
  return share;
}

void check_edits(const DataConfig& config, config::Visitor& v) {
  const std::string prompts = fault_of([&] { parse_id_texts(config.prompts); }),
                    labels = fault_of([&] { parse_id_texts(config.labels); }),
                    shares = fault_of([&] { parse_shares(config); });
  v.check(prompts.empty(), "prompts", prompts);
  v.check(labels.empty(), "labels", labels);
  v.check(shares.empty(), "shares", shares);
  const std::set<std::string> distinct(config.ids.begin(), config.ids.end());
  v.check(distinct.size() == config.ids.size(), "ids",
          "names an id twice; `shares` gives a problem several copies");
}

}  // namespace

void DataConfig::describe(config::Visitor& v) {
  v.field("train_files", train_files, "Training prompts: jsonl or parquet files.");
  v.field("prompt_key", prompt_key,
          "Column with the prompt: text or {role, content} messages. Fallbacks: prompt, problem, "
          "question, messages.");
  v.field("label_key", label_key,
          "Column with the gold answer, where there is no reward_model.ground_truth. Without "
          "either, the last box of the column solution.");
  v.field("ids", ids,
          "Train on the problems with these ids only, each once, in this order; an id is the "
          "row's id, else its extra_info.index, else its number. Empty: every row.");
  v.field("shares", shares,
          "Copies of each of `ids`, in its order; times `repeat`. Empty: one of each.");
  v.field("repeat", repeat, "Use each row so many times: 1 row x 128 is the 1-shot batch.",
          {1, 1e7});
  v.field("merge_copies", merge_copies,
          "Copies of a prompt in a rollout step are one group of copies x rollout.n samples; "
          "false: each copy is a group of its own.");
  v.field("prompts", prompts, "Other texts for the user's message, each ID=TEXT.");
  v.field("labels", labels, "Other gold answers, each ID=LABEL; these stand whatever label_noise.");
  v.fraction("label_noise", label_noise,
             "Share of the problems whose label is made wrong: whole numbers, decimals, and both "
             "parts of fractions by up to 10, with a random sign (docs/one_shot.md).");
  v.field("label_noise_seed", label_noise_seed, "Which labels are made wrong, and how.",
          {0, 9007199254740992.0});
  v.field("prompt_suffix", prompt_suffix, "Text appended to the user's message.");
  v.field("use_chat_template", use_chat_template,
          "Render prompts with the checkpoint's chat template; false: the plain text.");
  v.field("max_prompt_length", max_prompt_length,
          "Longest prompt in tokens; longer ones are dropped and counted.", {1, 1e7});
  v.field("shuffle", shuffle, "Visit the prompts in a new random order each epoch.");
  v.check(!prompt_key.empty(), "prompt_key", "must not be empty");
  v.check(!label_key.empty(), "label_key", "must not be empty");
  v.check(label_noise > 0 || label_noise_seed == DataConfig().label_noise_seed, "label_noise_seed",
          "has no effect without label_noise; set it, or remove the key");
  check_edits(*this, v);
}

std::vector<IdText> parse_id_texts(const std::vector<std::string>& items) {
  std::vector<IdText> parsed;
  std::set<std::string> ids;
  for (const std::string& item : items) {
    const size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0)
      throw_usage("an item is '", item, "'; each is written ID=TEXT");
    parsed.push_back({item.substr(0, equals), item.substr(equals + 1)});
    if (!ids.insert(parsed.back().id).second)
      throw_usage("gives the id '", parsed.back().id, "' twice; keep one");
  }
  return parsed;
}

std::vector<int64_t> parse_shares(const DataConfig& config) {
  if (config.shares.empty()) return std::vector<int64_t>(config.ids.size(), 1);
  if (config.shares.size() != config.ids.size())
    throw_usage("has ", config.shares.size(), " items and data.ids ", config.ids.size(),
                "; give one for each id, or none");
  std::vector<int64_t> shares;
  for (const std::string& text : config.shares) shares.push_back(parse_share(text));
  return shares;
}

}  // namespace covrl
