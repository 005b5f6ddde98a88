#include <functional>

#include "core/error.h"
#include "core/jsonl.h"
#include "rl/sft.h"

#include "rollout/parquet.h"

namespace covrl {

namespace {

std::vector<Message> read_messages(const Json& list, const std::string& where) {
  std::vector<Message> messages;
  for (const Json& entry : list)
    messages.push_back({get_string(entry, "role", where), get_string(entry, "content", where)});
  return messages;
}

// Prompt text and completion text of a row; the completion ends with an end token added by the
// caller.
std::pair<std::string, std::string> texts_of(const Json& row, const SftDataSection& config,
                                             const Pretrained& pretrained,
                                             const std::string& where) {
  std::vector<Message> messages;
  if (row.contains("messages")) {
    messages = read_messages(row.at("messages"), where);
    if (messages.size() < 2 || messages.back().role != "assistant")
      throw_usage(where,
                  ": `messages` must end with an assistant message, after at least one other");
  } else {
    messages = {{"user", get_string(row, "prompt", where)},
                {"assistant", get_string(row, "completion", where)}};
  }
  const std::string completion = messages.back().content;
  messages.pop_back();
  if (!config.use_chat_template) {
    if (messages.size() != 1)
      throw_usage(where, ": several messages need data.use_chat_template=true");
    return {messages[0].content, completion};
  }
  if (!pretrained.chat)
    throw_usage(
        pretrained.dir,
        ": the checkpoint has no chat template; set model.chat_template to a family name or a "
        ".jinja file, or data.use_chat_template=false");
  const ChatVariables variables{pretrained.tokenizer->bos_token(),
                                pretrained.tokenizer->eos_token(), ""};
  return {pretrained.chat->render(messages, /*add_generation_prompt=*/true, variables), completion};
}

// jsonl, or parquet by the name's ending. Numbers are lines (from 1) or rows (from 0).
void read_rows(const std::string& path, const std::function<void(int64_t, const Json&)>& row) {
  const std::string ending = ".parquet";
  if (path.size() > ending.size() &&
      path.compare(path.size() - ending.size(), ending.size(), ending) == 0) {
    read_parquet(path, /*limit=*/-1, row);
  } else {
    read_jsonl(path, row);
  }
}

SftRow encode_row(const Json& row, const SftDataSection& config, const Pretrained& pretrained,
                  const std::string& where) {
  const auto [prompt, completion] = texts_of(row, config, pretrained, where);
  SftRow one;
  one.tokens =
      pretrained.tokenizer->encode(prompt, {.add_special_tokens = !config.use_chat_template});
  if (config.loss_on == "completion")
    one.loss_from = std::max<int64_t>(1, static_cast<int64_t>(one.tokens.size()));
  const std::vector<int64_t> rest =
      pretrained.tokenizer->encode(completion, {.add_special_tokens = false});
  one.tokens.insert(one.tokens.end(), rest.begin(), rest.end());
  one.tokens.push_back(pretrained.generation.eos_token_ids.front());
  return one;
}

}  // namespace

SftRows read_sft_rows(const SftDataSection& config, const Pretrained& pretrained) {
  if (pretrained.generation.eos_token_ids.empty())
    throw_usage(pretrained.dir,
                ": no eos_token_id in generation_config.json or config.json; a completion needs an "
                "end token");
  SftRows result;
  for (const std::string& path : config.train_files) {
    read_rows(path, [&](int64_t number, const Json& row) {
      SftRow one = encode_row(row, config, pretrained, concat(path, ":", number));
      if (static_cast<int64_t>(one.tokens.size()) > config.max_length) {
        ++result.num_dropped;
      } else {
        result.rows.push_back(std::move(one));
      }
    });
  }
  if (result.rows.empty())
    throw_usage("data.train_files: no row is left to train on (", result.num_dropped,
                " are longer than data.max_length = ", config.max_length, ")");
  return result;
}

}  // namespace covrl
