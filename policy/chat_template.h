// Chat templates: from messages to the text that the model reads.
//
// The checkpoint's own Jinja template is rendered exactly, by an interpreter of the part of the
// language that chat templates use, set up as transformers does (trim_blocks, lstrip_blocks, break
// and continue, raise_exception, strftime_now, tojson; `tools` and `documents` are none). What is
// outside that part throws Error(kUsage) naming the file, the line, the construct, and the remedy:
// a built-in family or the path of a .jinja file. Work is bounded: no template can hang.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace covrl {

struct Message {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
};

struct ChatVariables {
  std::string bos_token{}, eos_token{};
  std::string date_string{};  // Llama-3.x prints it; empty: the template's own default
  std::map<std::string, std::string> extra{};  // further variables of the template
};

class ChatTemplate {
 public:
  virtual ~ChatTemplate() = default;
  // Where it is from: a family name or a path.
  virtual std::string name() const = 0;
  // Throws Error(kUsage) where the template itself would raise (roles out of order, ...). Safe to
  // call from many threads.
  virtual std::string render(const std::vector<Message>& messages, bool add_generation_prompt,
                             const ChatVariables& variables) const = 0;
};

// `override_name`: "" = from the checkpoint (chat_template.jinja, else chat_template of
// tokenizer_config.json, of a list the one called "default"); else a built-in family or the path of
// a .jinja file. The families:
//   qwen2.5 (qwen2.5-instruct), qwen2.5-math
//   chatml; chatml-plain: with an empty line behind each turn and before the answer
//   llama3 (llama-3): without dates; llama-3.1 (llama-3.2): with dates, today being date_string or
//   26 Jul 2024 r1-distill: the answer starts at <｜Assistant｜>; r1-distill-think: behind <think>,
//   as the later checkpoints have it
// Returns null when the checkpoint carries no template and none was named.
std::unique_ptr<ChatTemplate> load_chat_template(const std::string& dir,
                                                 const std::string& override_name = "");

// `where`: the name that errors and name() give.
std::unique_ptr<ChatTemplate> parse_chat_template(std::string_view jinja, const std::string& where);

}  // namespace covrl
