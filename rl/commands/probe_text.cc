#include "rl/commands/probe_context.h"
#include "rl/commands/row_fields.h"

namespace covrl {
namespace {

void set_variable(ChatVariables& variables, const std::string& name, const std::string& value) {
  if (name == "bos_token") {
    variables.bos_token = value;
  } else if (name == "eos_token") {
    variables.eos_token = value;
  } else if (name == "date_string") {
    variables.date_string = value;
  } else {
    variables.extra[name] = value;
  }
}

}  // namespace

Json probe_encode(const Json& row, ProbeContext& context) {
  const Tokenizer& tokenizer = context.tokenizer();
  const std::string text = get_string(row, "text", "row");
  const std::vector<int64_t> ids = tokenizer.encode(text);
  return {{"ids", ids},
          {"ids_no_add", tokenizer.encode(text, {.add_special_tokens = false})},
          {"ids_no_special_parse",
           tokenizer.encode(text, {.add_special_tokens = false, .parse_special_tokens = false})},
          {"decoded", tokenizer.decode(ids, /*skip_special_tokens=*/false)},
          {"decoded_skip_special", tokenizer.decode(ids, /*skip_special_tokens=*/true)}};
}

Json probe_decode(const Json& row, ProbeContext& context) {
  const std::vector<int64_t> ids = get_ids(row, "ids");
  return {{"decoded", context.tokenizer().decode(ids, /*skip_special_tokens=*/false)},
          {"decoded_skip_special", context.tokenizer().decode(ids, /*skip_special_tokens=*/true)}};
}

Json probe_chat(const Json& row, ProbeContext& context) {
  const Tokenizer& tokenizer = context.tokenizer();
  const bool own = row.contains("own_template") ? get_bool(row, "own_template", "row")
                                                : !row.contains("template");
  const ChatTemplate& chat = context.chat(own ? "" : get_string(row, "template", "row"));
  ChatVariables variables{tokenizer.bos_token(), tokenizer.eos_token(), "", {}};
  if (row.contains("kwargs")) {
    const Json& kwargs = row["kwargs"];
    for (const auto& [name, value] : kwargs.items())
      set_variable(variables, name, get_string(kwargs, name.c_str(), "kwargs"));
  }
  const std::string text =
      chat.render(get_messages(row), get_bool(row, "add_generation_prompt", "row"), variables);
  return {{"text", text}, {"ids", tokenizer.encode(text, {.add_special_tokens = false})}};
}

}  // namespace covrl
