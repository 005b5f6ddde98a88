// Commands, signs and characters that the lexer and the parser know.
#pragma once

#include <optional>
#include <string_view>

namespace covrl::math {

// What the lexer does with a command (its name without the backslash).
enum class CommandUse {
  kKeep,    // a token of its own
  kDrop,    // layout: \displaystyle, \left
  kSpace,   // \quad
  kSkip,    // \color: goes with its argument
  kFont,    // \mathbf: its argument stays
  kText,    // \text: its argument is words
  kRoman,   // \mathrm: words, units or letters
  kAccent,  // \vec, \dot: kept; a mark on a letter
};
CommandUse command_use(std::string_view name);

// Length of the \text{ or \mathbf{ ... that `text` begins with; 0 when it is something else.
size_t text_opening_length(std::string_view text);

// \leqslant -> le, \dfrac -> frac; the name itself when it is the usual one.
std::string_view usual_name(std::string_view name);

// Commands and words that stand for a sign of the lexer ("times" -> '*'); 0 when none.
char sign_of_command(std::string_view name);

// A sign, letter or command that a Unicode character stands for; of a fraction its two digits.
struct UnicodeMeaning {
  enum Kind {
    kSign,
    kCommand,
    kSpace,
    kSuperscript,
    kSubscript,
    kFraction,
    kUnknown,
    kLetter
  } kind;
  std::string_view meant;
};
UnicodeMeaning unicode_meaning(char32_t c);

// align, equation ...: environments that only display what they hold.
bool is_display(std::string_view environment);
// therefore, implies, checkmark ...: at the ends of an answer they say nothing.
bool is_ornament(std::string_view command);
// sqrt, sin, pi ...: commands that may be written without a backslash.
bool is_plain_command(std::string_view word);
// sin, log, gcd ...: commands whose argument follows, in brackets or not.
bool is_function(std::string_view command);
// "omega", "Omega": a Greek letter as LaTeX names it.
bool is_greek_letter(std::string_view name);
// A word that neither is a number nor changes one, nor names a function: "apples", not "dozen".
bool is_plain_word(std::string_view word);

}  // namespace covrl::math
