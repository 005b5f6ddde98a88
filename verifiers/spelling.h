// Spellings of LaTeX and Unicode that mean the same.
#pragma once

#include <array>
#include <string_view>
#include <unordered_map>

namespace covrl {

struct Spelling {
  std::string_view written, meant;
};

// Unicode signs.
inline constexpr std::array<Spelling, 24> kSigns = {
    {{"−", "-"},        {"–", "-"},      {"×", "*"},      {"·", "*"},       {"⋅", "*"},
     {"÷", "/"},        {"°", ""},       {"π", "\\pi "},  {"√", "\\sqrt "}, {"∞", "\\infty "},
     {"≤", "<="},       {"≥", ">="},     {"≠", "!="},     {"∪", "\\cup "},  {"∈", "\\in "},
     {"€", ""},         {"£", ""},       {"¥", ""},       {"，", ","},      {"。", "."},
     {"θ", "\\theta "}, {"\u00a0", " "}, {"\u2009", " "}, {"\u202f", " "}}};

// What to do with a command: write what it means; treat its argument as words, or as itself; drop
// it with a following point (\left.); or take the arguments that follow, braced or not.
enum class Command { kReplace, kText, kFont, kSize, kArguments };

struct CommandRule {
  Command kind;
  std::string_view meant = {};
  int num_arguments = 0;
};

// Commands whose spelling does not matter, by name without the backslash; every other one is to be
// kept.
const std::unordered_map<std::string_view, CommandRule>& command_rules();

}  // namespace covrl
