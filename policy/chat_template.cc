#include "policy/chat_template.h"

#include <filesystem>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/chat_template_families.h"
#include "policy/chat_template_parser.h"
#include "policy/unicode.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;
using jinja::Value;

Value text_value(const std::string& text) { return Value::string(replace_broken_utf8(text)); }

Value messages_value(const std::vector<Message>& messages) {
  std::vector<Value> turns;
  for (const Message& message : messages) {
    turns.push_back(Value::dict({{Value::string("role"), text_value(message.role)},
                                 {Value::string("content"), text_value(message.content)}}));
  }
  return Value::list(std::move(turns));
}

class JinjaTemplate : public ChatTemplate {
 public:
  JinjaTemplate(std::string_view source, std::string where)
      : where_(std::move(where)), body_(jinja::parse_template(source, where_)) {}

  std::string name() const override { return where_; }

  std::string render(const std::vector<Message>& messages, bool add_generation_prompt,
                     const ChatVariables& variables) const override {
    jinja::Interpreter interpreter(where_);
    jinja::define_globals(interpreter);
    interpreter.assign("messages", messages_value(messages));
    interpreter.assign("add_generation_prompt", Value::boolean(add_generation_prompt));
    interpreter.assign("tools", Value::none());
    interpreter.assign("documents", Value::none());
    interpreter.assign("bos_token", text_value(variables.bos_token));
    interpreter.assign("eos_token", text_value(variables.eos_token));
    if (!variables.date_string.empty()) {
      interpreter.assign("date_string", text_value(variables.date_string));
    }
    for (const auto& [name, text] : variables.extra) interpreter.assign(name, text_value(text));
    return interpreter.render([&] { body_.run(interpreter); });
  }

 private:
  std::string where_;
  jinja::Block body_;
};

// The template in tokenizer_config.json: a text, or a list of {"name", "template"}.
std::unique_ptr<ChatTemplate> from_config(const std::string& path) {
  const Json config = read_json(path);
  const Json value = config.is_object() ? config.value("chat_template", Json()) : Json();
  const std::string where = path + ": chat_template";
  if (value.is_null()) return nullptr;
  if (value.is_string()) return parse_chat_template(value.get<std::string>(), where);
  std::string names;
  if (value.is_array()) {
    for (const Json& entry : value) {
      const std::string name = get_string(entry, "name", where);
      if (name == "default")
        return parse_chat_template(get_string(entry, "template", where), where + " default");
      names += names.empty() ? name : ", " + name;
    }
  }
  throw_usage(
      where, " is ",
      value.is_array() ? "a list without one called default (" + names + ")" : value.dump(),
      "; it is a text or a list of {\"name\", \"template\"}. Name a built-in family instead "
      "(chat_template: NAME): ",
      family_names());
}

}  // namespace

std::unique_ptr<ChatTemplate> parse_chat_template(std::string_view source,
                                                  const std::string& where) {
  return std::make_unique<JinjaTemplate>(replace_broken_utf8(source), where);
}

std::unique_ptr<ChatTemplate> load_chat_template(const std::string& dir,
                                                 const std::string& override_name) {
  if (!override_name.empty()) {
    if (const std::string text = family_template(override_name); !text.empty()) {
      return parse_chat_template(text, override_name);
    }
    if (fs::is_regular_file(override_name))
      return parse_chat_template(read_file(override_name), override_name);
    throw_usage("chat_template: \"", override_name,
                "\" is neither a file nor a built-in family; the families are ", family_names());
  }
  const fs::path jinja_path = fs::path(dir) / "chat_template.jinja";
  if (fs::exists(jinja_path))
    return parse_chat_template(read_file(jinja_path.string()), jinja_path.string());
  const fs::path config_path = fs::path(dir) / "tokenizer_config.json";
  return fs::exists(config_path) ? from_config(config_path.string()) : nullptr;
}

}  // namespace covrl
