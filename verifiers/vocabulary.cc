#include "verifiers/vocabulary.h"

#include <string>
#include <unordered_map>

#include "verifiers/lexer_text.h"
#include "verifiers/text.h"
#include "verifiers/word_list.h"
#include "verifiers/words.h"

namespace covrl::math {

namespace {

std::unordered_map<std::string_view, CommandUse> make_command_uses() {
  std::unordered_map<std::string_view, CommandUse> uses;
  const auto add = [&](CommandUse use, std::string_view names) {
    for (const std::string_view name : split_words(names)) uses[name] = use;
  };
  add(CommandUse::kDrop, R"(
      left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr
      limits nolimits displaystyle textstyle scriptstyle rm bf it cal sf tt boldmath
      tiny small normalsize large Large LARGE huge Huge thinspace hline hfill noindent strut
      mathstrut bigskip null relax nonumber pounds euro textdollar mathdollar)");
  add(CommandUse::kSkip, "color textcolor hspace vspace phantom hphantom vphantom label tag");
  add(CommandUse::kSpace, "quad qquad enspace space newline");
  add(CommandUse::kFont, R"(
      mathbf mathit mathsf boldsymbol bm boxed fbox emph underline ensuremath mathtt mathnormal)");
  add(CommandUse::kText, R"(
      text textrm textbf textit textsf texttt mbox textnormal textup hbox textsc)");
  add(CommandUse::kRoman, "mathrm operatorname");
  add(CommandUse::kAccent, R"(
      vec hat bar tilde dot ddot widehat overrightarrow overline mathcal mathbb mathfrak mathscr
      widetilde)");
  return uses;
}

// By the code points that the first of each two words is.
using Meanings = std::unordered_map<char32_t, UnicodeMeaning>;

void add_meanings(Meanings& table, UnicodeMeaning::Kind kind, std::string_view list) {
  for (const auto& [sign, meant] : names_of(list)) table[code_point(sign, 0).value] = {kind, meant};
}

Meanings make_meanings() {
  Meanings table;
  add_meanings(table, UnicodeMeaning::kSign, R"(
      − - – - × * · * ⋅ * ∗ * ÷ / ⁄ / º @ ° @ ± ~ ′ ' ’ ' ， , 、 , ∶ : ； ; ： : （ ( ） ))");
  add_meanings(table, UnicodeMeaning::kCommand, R"(
      π pi √ sqrt ∛ cbrt ∞ infty ≤ le ≥ ge ≠ ne ≈ approx ∪ cup ∩ cap ∈ in ≡ equiv ∅ emptyset
      ∠ angle ∓ mp θ theta α alpha β beta γ gamma δ delta λ lambda μ mu σ sigma φ phi ω omega
      ℝ reals ⌊ lfloor ⌋ rfloor ⌈ lceil ⌉ rceil ⟨ langle ⟩ rangle)");
  add_meanings(table, UnicodeMeaning::kSuperscript, "⁰ 0 ¹ 1 ² 2 ³ 3 ⁴ 4 ⁵ 5 ⁶ 6 ⁷ 7 ⁸ 8 ⁹ 9 ⁻ -");
  add_meanings(table, UnicodeMeaning::kSubscript, "₀ 0 ₁ 1 ₂ 2 ₃ 3 ₄ 4 ₅ 5 ₆ 6 ₇ 7 ₈ 8 ₉ 9");
  add_meanings(table, UnicodeMeaning::kFraction, R"(
      ½ 12 ⅓ 13 ⅔ 23 ¼ 14 ¾ 34 ⅕ 15 ⅖ 25 ⅗ 35 ⅘ 45 ⅙ 16 ⅚ 56 ⅐ 17 ⅛ 18 ⅜ 38 ⅝ 58 ⅞ 78 ⅑ 19)");
  for (const char32_t space : {U'“', U'”', U'€', U'£', U'¢', U'¥', U'₹', U'₩', U'₽', U'。',
                               U'\u00a0', U'\u2002', U'\u2003', U'\u2009', U'\u202f', U'\u3000'})
    table[space] = {UnicodeMeaning::kSpace, {}};
  return table;
}

}  // namespace

CommandUse command_use(std::string_view name) {
  static const auto uses = make_command_uses();
  const auto found = uses.find(name);
  return found == uses.end() ? CommandUse::kKeep : found->second;
}

size_t text_opening_length(std::string_view text) {
  if (!text.starts_with('\\')) return 0;
  const size_t end = letters_end(text, 1);
  const CommandUse use = command_use(text.substr(1, end - 1));
  const bool holds_text =
      use == CommandUse::kText || use == CommandUse::kRoman || use == CommandUse::kFont;
  return holds_text && text.substr(end).starts_with('{') ? end + 1 : 0;
}

std::string_view usual_name(std::string_view name) {
  static const Names names = names_of(R"(
      leq le leqslant le geq ge geqslant ge neq ne simeq approx thickapprox approx sim approx
      doteq approx dfrac frac tfrac frac cfrac frac sfrac frac nicefrac frac dbinom binom
      tbinom binom infin infty inf infty infinity infty varnothing emptyset bigcup cup bigcap cap
      rightarrow to tg tan ctg cot arctg arctan asin arcsin acos arccos atan arctan cosec csc
      log10 lg varphi phi varepsilon epsilon vartheta theta varrho rho varsigma sigma bmod mod
      ldots dots cdots dots dotsc dots)");
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

char sign_of_command(std::string_view name) {
  static const Names signs = names_of(R"(
      times * cdot * ast * bullet * div / colon : lt < gt > circ @ degree @ degrees @ prime ' pm ~
      vert | lvert | rvert | Vert | lVert | rVert | lparen ( rparen ) lbrack [ rbrack ])");
  const auto found = signs.find(name);
  return found == signs.end() ? '\0' : found->second[0];
}

UnicodeMeaning unicode_meaning(char32_t c) {
  using Kind = UnicodeMeaning::Kind;
  static const Meanings table = make_meanings();
  const auto found = table.find(c);
  if (found != table.end()) return found->second;
  const bool is_letter = (c >= 0xC0 && c <= 0x24F) || (c >= 0x370 && c <= 0x1FFF) ||
                         (c >= 0x3040 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3);
  return {is_letter ? Kind::kLetter : Kind::kUnknown, {}};
}

bool is_display(std::string_view environment) {
  static const Words names = words_of(R"(
      align align* aligned equation equation* gather gather* gathered split displaymath math)");
  return names.contains(environment);
}

bool is_ornament(std::string_view command) {
  static const Words words = words_of(R"(
      therefore because implies Rightarrow to checkmark blacksquare square Box qed
      Longrightarrow)");
  return words.contains(command);
}

bool is_plain_command(std::string_view word) {
  static const Words words = words_of(R"(
      sqrt cbrt sin cos tan cot sec csc arcsin arccos arctan arctg asin acos atan sinh cosh tanh cis
      log ln lg log10 exp gcd lcm max min abs floor ceil mod binom frac cdot times
      pi infty inf infinity theta alpha beta gamma delta lambda sigma omega)");
  return words.contains(word);
}

bool is_function(std::string_view command) {
  static const Words words = words_of(R"(
      sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arccot arcsinh arccosh
      arctanh log ln lg exp cis cbrt gcd lcm max min abs floor ceil det Gamma deg dim ker arg)");
  return words.contains(command);
}

bool is_greek_letter(std::string_view name) {
  static const Words letters = words_of(R"(
      alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi
      chi psi omega upsilon varepsilon varphi vartheta varrho varsigma)");
  return letters.contains(lower_case(name));
}

bool is_plain_word(std::string_view word) {
  const std::string lower = lower_case(word);
  return !changes_meaning(lower) && !is_plain_command(lower) && !is_function(lower) &&
         !is_greek_letter(lower);
}

}  // namespace covrl::math
