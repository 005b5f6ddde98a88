#include "rl/commands/row_fields.h"

#include "core/error.h"
#include "core/log.h"

namespace covrl {
namespace {

const Json& list_of(const Json& row, const char* key, const char* wanted) {
  const auto found = row.find(key);
  if (found == row.end()) throw_usage("missing key \"", key, "\" (", wanted, ")");
  if (!found->is_array()) throw_usage("\"", key, "\" must be ", wanted, ", got ", found->dump());
  return *found;
}

std::vector<int64_t> ids_of(const Json& list, const char* key) {
  std::vector<int64_t> ids;
  if (!list.is_array())
    throw_usage("\"", key, "\" must hold lists of token ids, got ", list.dump());
  for (const Json& id : list) {
    if (!id.is_number_integer() || id < 0)
      throw_usage("\"", key, "\" must hold token ids (integers of 0 or more), got ", id.dump());
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

}  // namespace

std::vector<int64_t> get_ids(const Json& row, const char* key) {
  return ids_of(list_of(row, key, "a list of token ids"), key);
}

std::vector<std::vector<int64_t>> get_id_lists(const Json& row, const char* key) {
  std::vector<std::vector<int64_t>> lists;
  for (const Json& list : list_of(row, key, "a list of lists of token ids"))
    lists.push_back(ids_of(list, key));
  return lists;
}

std::vector<Message> get_messages(const Json& row) {
  std::vector<Message> messages;
  for (const Json& message : list_of(row, "messages", "a list of {\"role\", \"content\"}"))
    messages.push_back(
        {get_string(message, "role", "messages"), get_string(message, "content", "messages")});
  return messages;
}

void check_vocabulary(const std::vector<int64_t>& ids, int64_t vocab_size) {
  for (const int64_t id : ids) {
    if (id >= vocab_size)
      throw_usage("token id ", id, " is outside the model's vocabulary, allowed are 0 to ",
                  vocab_size - 1);
  }
}

void warn_of_positions(size_t num_tokens, const ModelConfig& config) {
  if (static_cast<int64_t>(num_tokens) > config.max_position_embeddings)
    log::warning(concat("some rows have more tokens than the model has positions (",
                        config.max_position_embeddings, ")"));
}

const Json& get_id(const Json& row) {
  const auto found = row.find("id");
  if (found == row.end()) throw_usage("missing key \"id\" (a string or an integer)");
  if (!found->is_string() && !found->is_number_integer())
    throw_usage("\"id\" must be a string or an integer, got ", found->dump());
  return *found;
}

Json without(const Json& row, std::initializer_list<const char*> keys) {
  Json rest = row;
  for (const char* key : keys) rest.erase(key);
  return rest;
}

const Tokenizer& CheckpointText::tokenizer() {
  if (tokenizer_ == nullptr)
    tokenizer_ = std::make_unique<const Tokenizer>(Tokenizer::from_dir(dir_));
  return *tokenizer_;
}

const ChatTemplate& CheckpointText::chat() {
  if (chat_ == nullptr) chat_ = load_chat_template(dir_, chat_template_);
  if (chat_ == nullptr)
    throw_usage(dir_,
                ": has no chat template; give \"prompt\" instead of \"messages\", or name a family "
                "with --chat-template");
  return *chat_;
}

std::vector<int64_t> CheckpointText::encode_messages(const std::vector<Message>& messages,
                                                     bool add_generation_prompt) {
  const ChatVariables variables{tokenizer().bos_token(), tokenizer().eos_token(), "", {}};
  return tokenizer().encode(chat().render(messages, add_generation_prompt, variables),
                            {.add_special_tokens = false});
}

std::vector<int64_t> CheckpointText::prompt_ids(const Json& row) {
  const int given = row.contains("ids") + row.contains("prompt") + row.contains("messages");
  if (given != 1)
    throw_usage("give exactly one of \"prompt\", \"messages\" and \"ids\", got ", given,
                " of them");
  std::vector<int64_t> ids;
  if (row.contains("ids")) ids = get_ids(row, "ids");
  if (row.contains("prompt")) ids = tokenizer().encode(get_string(row, "prompt", "row"));
  if (row.contains("messages"))
    ids = encode_messages(get_messages(row), /*add_generation_prompt=*/true);
  if (ids.empty()) throw_usage("the prompt is empty; at least one token is needed");
  return ids;
}

}  // namespace covrl
