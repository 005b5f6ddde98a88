// Fields of the rows that the commands read.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "core/jsonl.h"
#include "policy/chat_template.h"
#include "policy/model_config.h"
#include "policy/tokenizer.h"

namespace covrl {

// Throw Error(kUsage) naming the key, the type wanted and the value seen; read_jsonl adds file and
// line.
std::vector<int64_t> get_ids(const Json& row, const char* key);
std::vector<std::vector<int64_t>> get_id_lists(const Json& row, const char* key);
std::vector<Message> get_messages(const Json& row);
void check_vocabulary(const std::vector<int64_t>& ids, int64_t vocab_size);
// Once, where a row has more tokens than the model has positions.
void warn_of_positions(size_t num_tokens, const ModelConfig& config);
const Json& get_id(const Json& row);  // "id", a string or an integer

// The row without `keys`: what is carried through to the output.
Json without(const Json& row, std::initializer_list<const char*> keys);

// Tokenizer and chat template of a checkpoint folder; each is read when it is first needed.
class CheckpointText {
 public:
  CheckpointText(std::string dir, std::string chat_template)
      : dir_(std::move(dir)), chat_template_(std::move(chat_template)) {}

  const Tokenizer& tokenizer();
  const ChatTemplate& chat();
  // Tokens of "ids", of "prompt", or of "messages" with the generation prompt: exactly one of them.
  std::vector<int64_t> prompt_ids(const Json& row);
  std::vector<int64_t> encode_messages(const std::vector<Message>& messages,
                                       bool add_generation_prompt);

 private:
  std::string dir_, chat_template_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<const ChatTemplate> chat_;
};

}  // namespace covrl
