#include "verifiers/vocabulary.h"

#include <array>
#include <unordered_map>
#include <unordered_set>

namespace covrl::math {

namespace {

using Words = std::unordered_set<std::string_view>;
using Names = std::unordered_map<std::string_view, std::string_view>;

const std::unordered_map<std::string_view, CommandUse>& command_uses() {
  static const std::unordered_map<std::string_view, CommandUse> uses = [] {
    std::unordered_map<std::string_view, CommandUse> table;
    for (const std::string_view name :
         {"left",     "right",       "big",        "Big",          "bigg",      "Bigg",
          "bigl",     "bigr",        "Bigl",       "Bigr",         "biggl",     "biggr",
          "Biggl",    "Biggr",       "middle",     "limits",       "rm",        "bf",
          "it",       "nolimits",    "thinspace",  "displaystyle", "textstyle", "pounds",
          "euro",     "scriptstyle", "cal",        "sf",           "tt",        "small",
          "large",    "Large",       "normalsize", "boldmath",     "hline",     "hfill",
          "noindent", "textdollar",  "strut",      "mathstrut",    "bigskip",   "null",
          "relax",    "nonumber"})
      table[name] = CommandUse::kDrop;
    for (const std::string_view name : {"color", "textcolor", "hspace", "vspace", "phantom",
                                        "hphantom", "vphantom", "label", "tag"})
      table[name] = CommandUse::kSkip;
    for (const std::string_view name : {"quad", "qquad", "enspace", "space", "newline"})
      table[name] = CommandUse::kSpace;
    for (const std::string_view name :
         {"mathbf", "mathit", "mathsf", "boldsymbol", "bm", "boxed", "fbox", "emph", "underline",
          "ensuremath", "mathtt", "mathnormal"})
      table[name] = CommandUse::kFont;
    for (const std::string_view name : {"text", "textrm", "textbf", "textit", "textsf", "texttt",
                                        "mbox", "textnormal", "textup", "hbox", "textsc"})
      table[name] = CommandUse::kText;
    for (const std::string_view name : {"mathrm", "operatorname"}) table[name] = CommandUse::kRoman;
    for (const std::string_view name :
         {"vec", "hat", "bar", "tilde", "dot", "ddot", "widehat", "overrightarrow", "overline",
          "mathcal", "mathbb", "mathfrak", "mathscr", "widetilde"})
      table[name] = CommandUse::kAccent;
    return table;
  }();
  return uses;
}

}  // namespace

CommandUse command_use(std::string_view name) {
  const auto found = command_uses().find(name);
  return found == command_uses().end() ? CommandUse::kKeep : found->second;
}

std::string_view usual_name(std::string_view name) {
  static const Names names = {{"leq", "le"},
                              {"leqslant", "le"},
                              {"geq", "ge"},
                              {"geqslant", "ge"},
                              {"neq", "ne"},
                              {"dfrac", "frac"},
                              {"tfrac", "frac"},
                              {"cfrac", "frac"},
                              {"sfrac", "frac"},
                              {"nicefrac", "frac"},
                              {"dbinom", "binom"},
                              {"tbinom", "binom"},
                              {"choose", "choose"},
                              {"infin", "infty"},
                              {"inf", "infty"},
                              {"lbrace", "lbrace"},
                              {"varnothing", "emptyset"},
                              {"lvert", "vert"},
                              {"rvert", "vert"},
                              {"mid", "mid"},
                              {"simeq", "approx"},
                              {"thickapprox", "approx"},
                              {"sim", "approx"},
                              {"doteq", "approx"},
                              {"rightarrow", "to"},
                              {"tg", "tan"},
                              {"ctg", "cot"},
                              {"arctg", "arctan"},
                              {"asin", "arcsin"},
                              {"acos", "arccos"},
                              {"atan", "arctan"},
                              {"cosec", "csc"},
                              {"log10", "lg"},
                              {"infinity", "infty"},
                              {"varphi", "phi"},
                              {"varepsilon", "epsilon"},
                              {"vartheta", "theta"},
                              {"varrho", "rho"},
                              {"varsigma", "sigma"},
                              {"over", "over"},
                              {"bmod", "mod"},
                              {"pmod", "pmod"},
                              {"vmatrix", "vmatrix"},
                              {"ldots", "dots"},
                              {"cdots", "dots"},
                              {"dotsc", "dots"},
                              {"land", "wedge"},
                              {"lor", "vee"},
                              {"ell", "ell"},
                              {"mathord", "mathord"}};
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

char sign_of_command(std::string_view name) {
  static const std::unordered_map<std::string_view, char> signs = {
      {"times", '*'},   {"cdot", '*'},   {"ast", '*'},   {"div", '/'},    {"colon", ':'},
      {"lt", '<'},      {"gt", '>'},     {"vert", '|'},  {"circ", '@'},   {"degree", '@'},
      {"degrees", '@'}, {"prime", '\''}, {"pm", '~'},    {"lparen", '('}, {"rparen", ')'},
      {"lbrack", '['},  {"rbrack", ']'}, {"bullet", '*'}};
  const auto found = signs.find(name);
  return found == signs.end() ? '\0' : found->second;
}

UnicodeMeaning unicode_meaning(char32_t c) {
  using Kind = UnicodeMeaning::Kind;
  static const std::unordered_map<char32_t, UnicodeMeaning> table = {
      {U'−', {Kind::kSign, "-"}},         {U'–', {Kind::kSign, "-"}},
      {U'×', {Kind::kSign, "*"}},         {U'·', {Kind::kSign, "*"}},
      {U'⋅', {Kind::kSign, "*"}},         {U'∗', {Kind::kSign, "*"}},
      {U'÷', {Kind::kSign, "/"}},         {U'⁄', {Kind::kSign, "/"}},
      {U'º', {Kind::kSign, "@"}},         {U'“', {Kind::kSpace, ""}},
      {U'”', {Kind::kSpace, ""}},         {U'°', {Kind::kSign, "@"}},
      {U'±', {Kind::kSign, "~"}},         {U'′', {Kind::kSign, "'"}},
      {U'’', {Kind::kSign, "'"}},         {U'，', {Kind::kSign, ","}},
      {U'、', {Kind::kSign, ","}},        {U'∶', {Kind::kSign, ":"}},
      {U'；', {Kind::kSign, ";"}},        {U'：', {Kind::kSign, ":"}},
      {U'（', {Kind::kSign, "("}},        {U'）', {Kind::kSign, ")"}},
      {U'π', {Kind::kCommand, "pi"}},     {U'√', {Kind::kCommand, "sqrt"}},
      {U'∞', {Kind::kCommand, "infty"}},  {U'≤', {Kind::kCommand, "le"}},
      {U'≥', {Kind::kCommand, "ge"}},     {U'≠', {Kind::kCommand, "ne"}},
      {U'≈', {Kind::kCommand, "approx"}}, {U'∪', {Kind::kCommand, "cup"}},
      {U'∩', {Kind::kCommand, "cap"}},    {U'∈', {Kind::kCommand, "in"}},
      {U'≡', {Kind::kCommand, "equiv"}},  {U'∅', {Kind::kCommand, "emptyset"}},
      {U'∠', {Kind::kCommand, "angle"}},  {U'∓', {Kind::kCommand, "mp"}},
      {U'θ', {Kind::kCommand, "theta"}},  {U'α', {Kind::kCommand, "alpha"}},
      {U'β', {Kind::kCommand, "beta"}},   {U'γ', {Kind::kCommand, "gamma"}},
      {U'δ', {Kind::kCommand, "delta"}},  {U'λ', {Kind::kCommand, "lambda"}},
      {U'μ', {Kind::kCommand, "mu"}},     {U'σ', {Kind::kCommand, "sigma"}},
      {U'φ', {Kind::kCommand, "phi"}},    {U'ω', {Kind::kCommand, "omega"}},
      {U'ℝ', {Kind::kCommand, "reals"}},  {U'⌊', {Kind::kCommand, "lfloor"}},
      {U'⌋', {Kind::kCommand, "rfloor"}}, {U'⌈', {Kind::kCommand, "lceil"}},
      {U'⌉', {Kind::kCommand, "rceil"}},  {U'²', {Kind::kSuperscript, "2"}},
      {U'³', {Kind::kSuperscript, "3"}},  {U'¹', {Kind::kSuperscript, "1"}},
      {U'⁰', {Kind::kSuperscript, "0"}},  {U'⁴', {Kind::kSuperscript, "4"}},
      {U'⁵', {Kind::kSuperscript, "5"}},  {U'⁶', {Kind::kSuperscript, "6"}},
      {U'⁷', {Kind::kSuperscript, "7"}},  {U'⁸', {Kind::kSuperscript, "8"}},
      {U'⁹', {Kind::kSuperscript, "9"}},  {U'⁻', {Kind::kSuperscript, "-"}},
      {U'½', {Kind::kFraction, "12"}},    {U'⅓', {Kind::kFraction, "13"}},
      {U'⅔', {Kind::kFraction, "23"}},    {U'¼', {Kind::kFraction, "14"}},
      {U'¾', {Kind::kFraction, "34"}},    {U'⅕', {Kind::kFraction, "15"}},
      {U'⅛', {Kind::kFraction, "18"}},    {U'⅜', {Kind::kFraction, "38"}},
      {U'⅝', {Kind::kFraction, "58"}},    {U'⅞', {Kind::kFraction, "78"}},
      {U'⅖', {Kind::kFraction, "25"}},    {U'⅗', {Kind::kFraction, "35"}},
      {U'⅘', {Kind::kFraction, "45"}},    {U'⅙', {Kind::kFraction, "16"}},
      {U'⅚', {Kind::kFraction, "56"}},    {U'⅐', {Kind::kFraction, "17"}},
      {U'⅑', {Kind::kFraction, "19"}},    {U'€', {Kind::kSpace, ""}},
      {U'£', {Kind::kSpace, ""}},         {U'¢', {Kind::kSpace, ""}},
      {U'¥', {Kind::kSpace, ""}},         {U'。', {Kind::kSpace, ""}},
      {U'\u00a0', {Kind::kSpace, ""}},    {U'\u2009', {Kind::kSpace, ""}},
      {U'\u202f', {Kind::kSpace, ""}},    {U'\u3000', {Kind::kSpace, ""}},
      {U'\u2002', {Kind::kSpace, ""}},    {U'\u2003', {Kind::kSpace, ""}}};
  const auto found = table.find(c);
  if (found != table.end()) return found->second;
  const bool is_letter = (c >= 0xC0 && c <= 0x24F) || (c >= 0x370 && c <= 0x1FFF) ||
                         (c >= 0x3040 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3);
  return {is_letter ? Kind::kLetter : Kind::kUnknown, {}};
}

bool is_ornament(std::string_view command) {
  static const Words words = {"therefore", "because",     "implies", "Rightarrow",    "to",
                              "checkmark", "blacksquare", "qed",     "Longrightarrow"};
  return words.contains(command);
}

bool is_plain_command(std::string_view word) {
  static const Words words = {"sqrt",   "sin",    "cos",    "tan",  "cot",   "sec",   "csc",
                              "arcsin", "arccos", "arctan", "asin", "acos",  "atan",  "sinh",
                              "cosh",   "tanh",   "log",    "ln",   "lg",    "exp",   "pi",
                              "cbrt",   "gcd",    "lcm",    "max",  "min",   "abs",   "floor",
                              "ceil",   "theta",  "alpha",  "beta", "infty", "inf",   "infinity",
                              "mod",    "binom",  "frac",   "cdot", "times", "log10", "omega",
                              "sigma",  "lambda", "gamma",  "delta"};
  return words.contains(word);
}

bool is_function(std::string_view command) {
  static const Words words = {"sin",     "cos",     "tan",    "cot",  "sec",  "csc", "sinh",
                              "cosh",    "tanh",    "coth",   "log",  "ln",   "lg",  "arcsin",
                              "arccos",  "arctan",  "arccot", "exp",  "gcd",  "lcm", "max",
                              "min",     "abs",     "floor",  "ceil", "cbrt", "det", "arcsinh",
                              "arccosh", "arctanh", "Gamma",  "deg",  "dim",  "ker", "arg"};
  return words.contains(command);
}

}  // namespace covrl::math
