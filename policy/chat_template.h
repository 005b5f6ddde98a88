// Chat templates of the supported families, recognised in the checkpoint and rendered exactly as its Jinja template would.
//
// The checkpoint's template (chat_template.jinja, or chat_template in tokenizer_config.json) is recognised by its features, not
// by its hash; the families are Qwen2.5 (with its default system prompt read from the template), plain ChatML, Llama-3, and
// R1-Distill. An unknown template throws Error(kUsage) naming the file, the families, and `chat_template: NAME` as remedy.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace covrl {

struct Message {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
};

struct ChatVariables {
  std::string bos_token, eos_token;
  std::string date_string;  // Llama-3.x prints it; empty: the template's own default
};

class ChatTemplate {
 public:
  virtual ~ChatTemplate() = default;
  virtual std::string name() const = 0;
  // Throws Error(kUsage) where the template itself would raise (roles out of order, ...).
  virtual std::string render(const std::vector<Message>& messages, bool add_generation_prompt,
                             const ChatVariables& variables) const = 0;
};

// `override_name`: "" = from the checkpoint; else a family name ("qwen2.5", "qwen2.5-math", "chatml", "llama3", "r1-distill").
// Returns null when the checkpoint carries no template and none was named.
std::unique_ptr<ChatTemplate> load_chat_template(const std::string& dir, const std::string& override_name = "");
std::unique_ptr<ChatTemplate> recognise_chat_template(const std::string& jinja, const std::string& where);

}  // namespace covrl
