// Splits ASCII text into the pieces that byte-level BPE may merge within, as the Qwen2
// pre-tokenizer does.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace covrl::tiny {

// The pattern that is implemented, as it stands in tokenizer.json; every digit is a piece of its
// own.
extern const char* const kQwen2Pattern;

// Calls `piece` for each piece in order; together they are the text. Bytes above 127 throw
// (COVRL_CHECK).
void pre_tokenize(std::string_view text, const std::function<void(std::string_view)>& piece);

}  // namespace covrl::tiny
