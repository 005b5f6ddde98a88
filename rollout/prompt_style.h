// How a problem is put to the model in evaluation: the prompt styles of the papers, and examples
// before the problem (few-shot).
//
// A chat style puts its words around the user's message and gives examples as earlier turns. The
// others are one text, where examples come before the problem.
//
// A new style is one line in the table in prompt_style.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rollout/data_config.h"
#include "rollout/prompt_source.h"

namespace covrl {

enum class StyleForm {
  kGiven,  // as DataConfig says: its chat template or plain text, its suffix
  kChat,   // the checkpoint's chat template; `tail` behind the user's text
  kPlain,  // a text; the tokenizer adds what it puts in front of every text
  kFrame   // a text that holds its special tokens itself
};

struct PromptStyle {
  std::string name, meaning;
  StyleForm form = StyleForm::kGiven;
  // Of a text: head EXAMPLES before PROBLEM tail, where each of the examples is
  // before PROBLEM between SOLUTION separator.
  std::string head = "", before = "", between = "\n", separator = "\n\n", tail = "";
  // A completion ends where it says one of these, be it a special token or a text.
  std::vector<std::string> stops = {};
  bool trims = false;  // white space around the problem is left out
};

std::vector<std::string> prompt_style_names();
// Error(kUsage) with the nearest and all names.
const PromptStyle& find_prompt_style(const std::string& name);

struct FewShotExample {
  std::string problem, solution;
};

// The first `limit` distinct problems of a problem file (0: all). A solution is the row's
// `solution`, else its `response`, else its gold answer in a box.
std::vector<FewShotExample> read_examples(const std::string& path, const DataConfig& config,
                                          int64_t limit);

struct StyledPrompts {
  PromptSet set;
  std::vector<int64_t> stop_token_ids;   // beside the model's own
  std::vector<std::string> stop_texts;   // what else ends a completion
  std::vector<std::string> example_ids;  // problems that are themselves an example
};

// prepare_prompts() of the rows in that style. Error(kUsage) for rows that the style has no form
// for: those of several user turns, where it is not kGiven or there are examples.
StyledPrompts prepare_styled(std::vector<Prompt> rows, const PromptStyle& style,
                             const std::vector<FewShotExample>& examples, const DataConfig& config,
                             const Pretrained& pretrained);

}  // namespace covrl
