#include "rollout/prompt_style.h"

#include <algorithm>
#include <set>

#include "core/cli.h"
#include "core/error.h"
#include "verifiers/text.h"

namespace covrl {
namespace {

// Qwen2.5-Eval is the evaluation of arXiv 2504.20571, a copy of Qwen2.5-Math's.
const std::vector<PromptStyle>& table() {
  static const std::vector<PromptStyle> styles = {
      {.name = "given",
       .meaning = "the chat template and the suffix that are given",
       .form = StyleForm::kGiven},
      {.name = "chat",
       .meaning = "the checkpoint's chat template and the problem",
       .form = StyleForm::kChat},
      {.name = "plain", .meaning = "the problem alone", .form = StyleForm::kPlain},
      {.name = "boxed",
       .meaning = "chat, with the instruction of the 1-shot paper's training rows",
       .form = StyleForm::kChat,
       .tail = " Let's think step by step and output the final answer within \\boxed{}."},
      {.name = "cot",
       .meaning = "Question: ... Answer: (Qwen2.5-Eval)",
       .form = StyleForm::kPlain,
       .before = "Question: ",
       .between = "\nAnswer: ",
       .separator = "\n\n\n",
       .tail = "\nAnswer:",
       .stops = {"\n\nQuestion:"},
       .trims = true},
      {.name = "qwen25-math-cot",
       .meaning = "ChatML with the instruction as system turn (Qwen2.5-Eval; Qwen2.5 models)",
       .form = StyleForm::kFrame,
       .head = "<|im_start|>system\nPlease reason step by step, and put your final answer within "
               "\\boxed{}.<|im_end|>\n<|im_start|>user\n",
       .tail = "<|im_end|>\n<|im_start|>assistant\n",
       .stops = {"<|im_end|>", "<|endoftext|>"},
       .trims = true},
      {.name = "llama",
       .meaning = "Llama-3.2's turns, without an instruction (Qwen2.5-Eval)",
       .form = StyleForm::kFrame,
       .head = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge "
               "Date: December 2023\nToday Date: 17 Apr 2025\n\n <|eot_id|><|start_header_id|>user"
               "<|end_header_id|>\n\n",
       .tail = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
       .stops = {"<|eot_id|>", "<|end_of_text|>"},
       .trims = true},
      {.name = "deepseek-distill",
       .meaning = "R1-Distill's turns, the answer begins with its thoughts (Qwen2.5-Eval)",
       .form = StyleForm::kFrame,
       .head = "<｜begin▁of▁sentence｜><｜User｜>",
       .tail = "<｜Assistant｜><think>\n",
       .stops = {"<｜end▁of▁sentence｜>"},
       .trims = true}};
  return styles;
}

// A template that is the one message it is given: the style wrote all of it.
class Frame final : public ChatTemplate {
 public:
  explicit Frame(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::string render(const std::vector<Message>& messages, bool,
                     const ChatVariables&) const override {
    return messages.back().content;
  }

 private:
  std::string name_;
};

// The text of the row's one user turn; what its system turn says is the style's to say.
std::string user_text(const Prompt& prompt, const PromptStyle& style) {
  if (prompt.messages.empty()) return prompt.text;
  const std::string* text = nullptr;
  for (const Message& message : prompt.messages) {
    if (message.role == "system") continue;
    if (message.role != "user" || text != nullptr)
      throw_usage("row ", prompt.row, " (", prompt.id,
                  ") is a conversation of several turns: prompt style ", style.name,
                  " has no form for it, nor for examples before it; use the style given, without "
                  "examples");
    text = &message.content;
  }
  if (text == nullptr) throw_usage("row ", prompt.row, " (", prompt.id, ") has no user message");
  return *text;
}

// Rows of training carry the instruction already.
std::string with_tail(const std::string& text, const std::string& tail) {
  return text.ends_with(tail) ? text : text + tail;
}

std::string text_of(const std::string& problem, const PromptStyle& style,
                    const std::vector<FewShotExample>& examples) {
  const auto shown = [&](const std::string& text) {
    return style.trims ? std::string(trimmed(text)) : text;
  };
  std::string text = style.head;
  for (const FewShotExample& example : examples)
    text +=
        style.before + shown(example.problem) + style.between + example.solution + style.separator;
  return with_tail(text + style.before + shown(problem), style.tail);
}

std::vector<Message> turns_of(const Prompt& prompt, const PromptStyle& style,
                              const std::vector<FewShotExample>& examples) {
  std::vector<Message> turns;
  for (const Message& message : prompt.messages)
    if (message.role == "system") turns.push_back(message);
  for (const FewShotExample& example : examples) {
    turns.push_back({"user", with_tail(example.problem, style.tail)});
    turns.push_back({"assistant", example.solution});
  }
  turns.push_back({"user", with_tail(user_text(prompt, style), style.tail)});
  return turns;
}

// The same problem, or one of the two goes on with an instruction.
bool is_same_problem(const std::string& a, const std::string& b) {
  return a.starts_with(b) || b.starts_with(a);
}

// A frame means something only to a model that knows its tokens.
void check_frame(const PromptStyle& style, const Pretrained& pretrained) {
  if (style.form != StyleForm::kFrame) return;
  const std::string& token = style.stops.front();
  if (pretrained.tokenizer->token_to_id(token) < 0)
    throw_usage("prompt style ", style.name, " is written with ", token,
                ", which the tokenizer of ", pretrained.dir,
                " does not have; choose chat, or the style of this model");
}

// Puts the special tokens among the stops beside the model's, the others among the texts.
void add_stops(const PromptStyle& style, const Tokenizer& tokenizer, StyledPrompts& styled) {
  for (const std::string& stop : style.stops) {
    const int64_t id = tokenizer.token_to_id(stop);
    if (id >= 0 && tokenizer.is_special(id)) {
      styled.stop_token_ids.push_back(id);
    } else {
      styled.stop_texts.emplace_back(stop);
    }
  }
}

// What `given` means for these data; a form of its own only where there are examples.
PromptStyle resolved(const PromptStyle& style, const DataConfig& config) {
  if (style.form != StyleForm::kGiven) return style;
  PromptStyle given = style;
  given.form = config.use_chat_template ? StyleForm::kChat : StyleForm::kPlain;
  given.between = config.prompt_suffix + given.between;
  given.tail = config.prompt_suffix;
  return given;
}

// The row as the style has it: turns of a chat, or one text.
void restyle(Prompt& prompt, const PromptStyle& style,
             const std::vector<FewShotExample>& examples) {
  if (style.form == StyleForm::kChat) {
    prompt.messages = turns_of(prompt, style, examples);
    prompt.text.clear();
    return;
  }
  prompt.text = text_of(user_text(prompt, style), style, examples);
  prompt.messages.clear();
}

}  // namespace

std::vector<std::string> prompt_style_names() {
  std::vector<std::string> names;
  for (const PromptStyle& style : table()) names.push_back(style.name);
  return names;
}

const PromptStyle& find_prompt_style(const std::string& name) {
  for (const PromptStyle& style : table())
    if (style.name == name) return style;
  const std::vector<std::string> names = prompt_style_names();
  std::string known;
  for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
  const std::string near = cli::nearest(name, names);
  throw_usage("prompt style '", name, "' is not known; known: ", known,
              near.empty() ? "" : concat("; did you mean '", near, "'?"));
}

std::vector<FewShotExample> read_examples(const std::string& path, const DataConfig& config,
                                          int64_t limit) {
  const PromptStyle& style = find_prompt_style("chat");
  std::vector<FewShotExample> examples;
  std::set<std::string> seen;
  read_problems({path}, config, [&](Prompt&& prompt, const Json& row) {
    const std::string problem = user_text(prompt, style);
    if (!seen.insert(problem).second) return;
    std::string solution = concat("\\boxed{", prompt.gold, "}");
    for (const char* key : {"response", "solution"})
      if (row.contains(key) && row[key].is_string()) solution = row[key].get<std::string>();
    examples.push_back({problem, solution});
  });
  if (limit > static_cast<int64_t>(examples.size()))
    throw_usage(path, ": holds ", examples.size(), " distinct examples, fewer than the ", limit,
                " shots asked for");
  if (limit > 0) examples.resize(static_cast<size_t>(limit));
  return examples;
}

StyledPrompts prepare_styled(std::vector<Prompt> rows, const PromptStyle& style,
                             const std::vector<FewShotExample>& examples, const DataConfig& config,
                             const Pretrained& pretrained) {
  StyledPrompts styled;
  if (style.form == StyleForm::kGiven && examples.empty()) {
    styled.set = prepare_prompts(std::move(rows), config, pretrained);
    return styled;
  }
  const PromptStyle form = resolved(style, config);
  check_frame(form, pretrained);
  for (Prompt& prompt : rows) {
    const std::string problem = user_text(prompt, form);
    if (std::any_of(examples.begin(), examples.end(), [&](const FewShotExample& example) {
          return is_same_problem(example.problem, problem);
        }))
      styled.example_ids.push_back(prompt.id);
    restyle(prompt, form, examples);
  }
  DataConfig data = config;
  data.prompt_suffix.clear();
  data.use_chat_template = form.form != StyleForm::kPlain;
  Pretrained framed = pretrained;
  if (form.form == StyleForm::kFrame) framed.chat = std::make_shared<Frame>(form.name);
  styled.set = prepare_prompts(std::move(rows), data, framed);
  add_stops(form, *pretrained.tokenizer, styled);
  return styled;
}

}  // namespace covrl
