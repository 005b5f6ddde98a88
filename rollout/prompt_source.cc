#include "rollout/prompt_source.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rollout/choice_row.h"
#include "rollout/field_value.h"
#include "rollout/parquet.h"
#include "verifiers/boxes.h"
#include "verifiers/text.h"

namespace covrl {

namespace {

constexpr std::array<const char*, 4> kPromptKeys = {"prompt", "problem", "question", "messages"};
constexpr std::array<const char*, 5> kLabelKeys = {"answer", "ground_truth", "gold", "answerKey",
                                                   "final_answer"};

// A row and how to name it in errors.
struct Row {
  const Json& object;
  std::string where;  // "file: row 3" or "file:3"
};

std::string keys_of(const Json& object) {
  std::string keys;
  for (const auto& [key, value] : object.items()) keys += (keys.empty() ? "" : ", ") + key;
  return keys.empty() ? "none" : keys;
}

const Json* find(const Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// The first key that the row has; null when it has none.
template <class Keys>
std::pair<std::string, const Json*> find_any(const Json& object, const std::string& first,
                                             const Keys& others) {
  if (const Json* value = find(object, first)) return {first, value};
  for (const char* key : others)
    if (const Json* value = find(object, key)) return {key, value};
  return {first, nullptr};
}

[[noreturn]] void wrong_type(const Row& row, const std::string& key, const char* wanted,
                             const Json& value) {
  throw_usage(row.where, ": column \"", key, "\" must be ", wanted, ", got ", value.type_name(),
              "; keys present: ", keys_of(row.object));
}

std::vector<Message> read_messages(const Row& row, const std::string& key, const Json& value) {
  constexpr const char* kWanted = "text or a list of {\"role\", \"content\"}";
  std::vector<Message> messages;
  for (const Json& item : value) {
    const Json* role = find(item, "role");
    const Json* content = find(item, "content");
    if (role == nullptr || content == nullptr || !role->is_string() || !content->is_string())
      wrong_type(row, key, kWanted, item);
    messages.push_back({role->get<std::string>(), content->get<std::string>()});
  }
  if (messages.empty()) throw_usage(row.where, ": column \"", key, "\" is an empty list");
  return messages;
}

void read_prompt(const Row& row, const DataConfig& config, Prompt& prompt) {
  const auto [key, value] = find_any(row.object, config.prompt_key, kPromptKeys);
  if (value == nullptr)
    throw_usage(row.where, ": no column \"", key,
                "\" (data.prompt_key), nor prompt, problem, question or messages; keys present: ",
                keys_of(row.object));
  if (value->is_string()) {
    prompt.text = value->get<std::string>();
  } else if (value->is_array()) {
    prompt.messages = read_messages(row, key, *value);
  } else {
    wrong_type(row, key, "text or a list of {\"role\", \"content\"}", *value);
  }
}

// What the last box of the row's solution holds, as in MATH; null without one.
std::optional<std::string> solution_box(const Json& object) {
  const Json* solution = find(object, "solution");
  if (solution == nullptr || !solution->is_string()) return std::nullopt;
  const std::string text = solution->get<std::string>();
  const BoxScan scan = find_boxes(text);
  if (scan.boxes.empty()) return std::nullopt;
  return std::string(scan.boxes.back().content);
}

// The answers of GSM8K are solutions, whose last line is the answer behind "#### ".
std::string behind_hashes(const std::string& answer) {
  constexpr std::string_view kHashes = "####";
  const size_t at = answer.rfind(kHashes);
  if (at == std::string::npos) return answer;
  const std::string_view last = trimmed(std::string_view(answer).substr(at + kHashes.size()));
  return last.empty() ? answer : std::string(last);
}

// reward_model.ground_truth (verl), else the label column, else the solution's last box. A list of
// one, as OlympiadBench has it, is that one.
std::string read_gold(const Row& row, const DataConfig& config) {
  std::string key = "reward_model.ground_truth";
  const Json* value = nullptr;
  if (const Json* reward_model = find(row.object, "reward_model"))
    value = find(*reward_model, "ground_truth");
  if (value == nullptr) std::tie(key, value) = find_any(row.object, config.label_key, kLabelKeys);
  if (value == nullptr) {
    if (const std::optional<std::string> box = solution_box(row.object)) return *box;
    throw_usage(row.where, ": no column \"", key,
                "\" (data.label_key), nor reward_model.ground_truth, nor a \"solution\" with a "
                "box; keys present: ",
                keys_of(row.object));
  }
  if (value->is_array() && value->size() == 1) value = &value->front();
  if (value->is_string()) return behind_hashes(value->get<std::string>());
  if (value->is_number()) return value->dump();
  wrong_type(row, key, "text or a number", *value);
}

int64_t read_index(const Row& row, int64_t fallback) {
  const Json* value = nullptr;
  if (const Json* extra = find(row.object, "extra_info")) value = find(*extra, "index");
  if (value == nullptr) value = find(row.object, "index");
  return value != nullptr && value->is_number_integer() ? value->get<int64_t>() : fallback;
}

std::string read_id(const Row& row, int64_t index) {
  const Json* value = find(row.object, "id");
  if (value == nullptr) return std::to_string(index);
  return value->is_string() ? value->get<std::string>() : value->dump();
}

// Columns that say which problem it is, beside those of the prompt and the gold answer.
constexpr std::array<const char*, 4> kIdentityKeys = {"id", "index", "data_source", "solution"};

bool is_own_column(const std::string& key, const DataConfig& config) {
  const auto is_one_of = [&](const auto& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  return key == config.prompt_key || key == config.label_key || is_one_of(kPromptKeys) ||
         is_one_of(kLabelKeys) || is_one_of(kIdentityKeys);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// The short columns of the row, then those of its extra_info that it does not have itself.
Fields read_fields(const Json& object, const DataConfig& config) {
  Fields fields;
  const auto add = [&](const std::string& key, const Json& value) {
    const bool is_new = std::none_of(fields.begin(), fields.end(),
                                     [&](const auto& field) { return field.first == key; });
    if (is_new && is_field_value(value) && !is_own_column(key, config))
      fields.emplace_back(key, field_text(value));
  };
  for (const auto& [key, value] : object.items()) add(key, value);
  if (const Json* extra = find(object, "extra_info"); extra != nullptr && extra->is_object())
    for (const auto& [key, value] : extra->items()) add(key, value);
  return fields;
}

std::string text_of_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Prompt read_row(const Row& row, int64_t number, const std::string& default_source,
                const DataConfig& config) {
  Prompt prompt;
  prompt.row = number;
  read_prompt(row, config, prompt);
  prompt.gold = read_gold(row, config);
  prompt.index = read_index(row, number);
  prompt.id = read_id(row, prompt.index);
  prompt.fields = read_fields(row.object, config);
  const Json* extra = find(row.object, "extra_info");
  if (is_choice_row(row.object) && prompt.messages.empty()) {
    prompt.text += option_lines(row.object, prompt.gold, row.where);
    prompt.extra_info = text_of_json(with_choices(extra, row.object));
  } else if (extra != nullptr && extra->is_object()) {
    prompt.extra_info = text_of_json(*extra);
  }
  const Json* source = find(row.object, "data_source");
  prompt.data_source =
      source != nullptr && source->is_string() ? source->get<std::string>() : default_source;
  return prompt;
}

// Where a file lacks a column that was named, another one is read, and that is said.
void warn_of_other_columns(const std::string& path, const Json& object, const DataConfig& config) {
  const DataConfig untouched;
  const auto warn = [&](const char* name, const std::string& wanted, const std::string& read) {
    log::warning(
        concat(path, ": no column \"", wanted, "\" (", name, "); ", read, " is read in its place"));
  };
  if (config.prompt_key != untouched.prompt_key && find(object, config.prompt_key) == nullptr)
    warn("data.prompt_key", config.prompt_key,
         concat("\"", find_any(object, config.prompt_key, kPromptKeys).first, "\""));
  const Json* reward_model = find(object, "reward_model");
  if (config.label_key == untouched.label_key || find(object, config.label_key) != nullptr ||
      (reward_model != nullptr && find(*reward_model, "ground_truth") != nullptr))
    return;
  const auto [key, value] = find_any(object, config.label_key, kLabelKeys);
  warn("data.label_key", config.label_key,
       value != nullptr ? concat("\"", key, "\"") : "the box of \"solution\"");
}

using RowFunction = std::function<void(Prompt&& prompt, const Json& object)>;

void read_file_rows(const std::string& path, const DataConfig& config, int64_t limit,
                    const RowFunction& row) {
  const std::filesystem::path file(path);
  const std::string extension = file.extension().string(), source = file.stem().string();
  int64_t number = 0;
  if (extension == ".parquet") {
    read_parquet(path, limit, [&](int64_t at, const Json& object) {
      row(read_row({object, concat(path, ": row ", at)}, at, source, config), object);
      if (number++ == 0) warn_of_other_columns(path, object, config);
    });
  } else if (extension == ".jsonl") {
    read_jsonl(path, [&](int64_t line, const Json& object) {
      if (limit >= 0 && number >= limit) return;
      row(read_row({object, concat(path, ":", line)}, number, source, config), object);
      if (number++ == 0) warn_of_other_columns(path, object, config);
    });
  } else {
    throw_usage(path, ": unknown kind of file '", extension, "'; known: .jsonl, .parquet");
  }
  if (number == 0 && limit != 0) throw_usage(path, ": holds no rows");
}

// Roles and contents.
using PromptText = std::vector<std::pair<std::string, std::string>>;
PromptText text_of(const Prompt& prompt) {
  if (prompt.messages.empty()) return {{"", prompt.text}};
  PromptText text;
  for (const Message& message : prompt.messages) text.emplace_back(message.role, message.content);
  return text;
}

// What makes two prompts the same problem.
using ProblemKey = std::pair<PromptText, std::string>;
ProblemKey problem_key(const Prompt& prompt) { return {text_of(prompt), prompt.gold}; }

void append_suffix(Prompt& prompt, const std::string& suffix) {
  if (suffix.empty()) return;
  if (prompt.messages.empty()) {
    prompt.text += suffix;
    return;
  }
  for (auto message = prompt.messages.rbegin(); message != prompt.messages.rend(); ++message)
    if (message->role == "user") {
      message->content += suffix;
      return;
    }
  throw_usage("data.prompt_suffix: row ", prompt.row, " has no user message to append it to");
}

// Tokens of a prompt as the model reads it.
std::vector<int64_t> encode(const Prompt& prompt, const DataConfig& config,
                            const Pretrained& pretrained) {
  const Tokenizer& tokenizer = *pretrained.tokenizer;
  if (!config.use_chat_template) {
    if (prompt.messages.empty()) return tokenizer.encode(prompt.text);
    if (prompt.messages.size() == 1) return tokenizer.encode(prompt.messages[0].content);
    throw_usage("row ", prompt.row, " is a conversation of ", prompt.messages.size(),
                " messages: data.use_chat_template=false has no form for it");
  }
  const std::vector<Message> messages =
      prompt.messages.empty() ? std::vector<Message>{{"user", prompt.text}} : prompt.messages;
  ChatVariables variables;
  variables.bos_token = tokenizer.bos_token();
  variables.eos_token = tokenizer.eos_token();
  // The template writes the begin-of-text token itself.
  return tokenizer.encode(
      pretrained.chat->render(messages, /*add_generation_prompt=*/true, variables),
      {.add_special_tokens = false, .parse_special_tokens = true});
}

void count_copies(PromptSet& set) {
  std::map<ProblemKey, int64_t> copies;
  for (const Prompt& prompt : set.prompts) ++copies[problem_key(prompt)];
  set.num_distinct = static_cast<int64_t>(copies.size());
  set.copies = copies.begin()->second;
  for (const auto& [key, count] : copies)
    if (count != set.copies) set.copies = 0;
}

}  // namespace

std::string PromptSet::summary() const {
  std::string text;
  if (copies > 0) {
    text = concat(num_distinct, num_distinct == 1 ? " distinct prompt" : " distinct prompts");
    if (copies > 1) text += concat(" x ", copies);
  } else {
    text = concat(num_rows, " rows, ", num_distinct, " distinct");
  }
  if (num_dropped > 0)
    text += concat(", ", num_dropped, " dropped (longer than ", max_prompt_length, " tokens)");
  return text;
}

std::vector<Prompt> read_prompts(const std::string& path, const DataConfig& config, int64_t limit) {
  std::vector<Prompt> prompts;
  read_file_rows(path, config, limit,
                 [&](Prompt&& prompt, const Json&) { prompts.push_back(std::move(prompt)); });
  return prompts;
}

namespace {

// The id of a row, or a longer one: the first that is its own.
std::string own_id(const Prompt& prompt, const std::string& stem,
                   std::map<std::string, PromptText>& owners) {
  const PromptText text = text_of(prompt);
  const std::string longest = concat(stem, ":", prompt.id, ":", prompt.row);
  std::string id = prompt.id;
  for (int64_t number = 0;; ++number) {
    const auto [owner, is_new] = owners.try_emplace(id, text);
    if (is_new || owner->second == text) return id;
    id = number == 0   ? concat(stem, ":", prompt.id)
         : number == 1 ? longest
                       : concat(longest, ":", number);
  }
}

}  // namespace

void read_problems(const std::vector<std::string>& paths, const DataConfig& config,
                   const RowFunction& row) {
  std::map<std::string, PromptText> owners;  // of each id
  for (const std::string& path : paths) {
    const std::string stem = std::filesystem::path(path).stem().string();
    read_file_rows(path, config, /*limit=*/-1, [&](Prompt&& prompt, const Json& object) {
      prompt.id = own_id(prompt, stem, owners);
      row(std::move(prompt), object);
    });
  }
}

PromptSet prepare_prompts(std::vector<Prompt> rows, const DataConfig& config,
                          const Pretrained& pretrained) {
  if (config.use_chat_template && pretrained.chat == nullptr)
    throw_usage(pretrained.dir,
                ": the checkpoint has no chat template; name one with model.chat_template (covrl "
                "eval: --chat-template NAME), or set data.use_chat_template=false (covrl eval: "
                "--chat-template none)");
  PromptSet set;
  set.num_rows = static_cast<int64_t>(rows.size());
  set.max_prompt_length = config.max_prompt_length;
  std::map<ProblemKey, std::vector<int64_t>> encoded;  // 128 copies are tokenized once
  for (Prompt& prompt : rows) {
    append_suffix(prompt, config.prompt_suffix);
    const auto [entry, is_new] = encoded.try_emplace(problem_key(prompt));
    if (is_new) entry->second = encode(prompt, config, pretrained);
    prompt.tokens = entry->second;
    const auto length = static_cast<int64_t>(prompt.tokens.size());
    if (length == 0) throw_usage("row ", prompt.row, " (", prompt.id, ") has an empty prompt");
    if (length > config.max_prompt_length) {
      ++set.num_dropped;
      continue;
    }
    for (int64_t copy = 0; copy < config.repeat; ++copy) set.prompts.push_back(prompt);
  }
  if (set.prompts.empty())
    throw_usage("all ", set.num_rows, " prompts are longer than ", config.max_prompt_length,
                " tokens; raise data.max_prompt_length (covrl eval takes what the model's "
                "max_position_embeddings allow)");
  count_copies(set);
  return set;
}

}  // namespace covrl
