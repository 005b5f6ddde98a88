// Multiple choice as ARC has it (hub: allenai/ai2_arc):
//   {"id", "question", "choices": {"text": ["iron", ...], "label": ["A", ...]}, "answerKey": "A"}
// or, as other programs write it, with "choices": [{"label": "A", "text": "iron"}, ...].
// The prompt lists the options below the question, the gold answer is the letter (in some rows a
// digit), and extra_info.choices tells the verifier `choice` what the options say.
#pragma once

#include <string>

#include "core/jsonl.h"

namespace covrl {

// Has a question, choices and an answerKey, each of ARC's form.
bool is_choice_row(const Json& row);

// "\nA. iron\nB. wood". Error(kUsage) naming `where` when labels and texts do not match, or `gold`
// is no label.
std::string option_lines(const Json& row, const std::string& gold, const std::string& where);

// The row's extra_info (null: none) with the choices in it.
Json with_choices(const Json* extra_info, const Json& row);

}  // namespace covrl
