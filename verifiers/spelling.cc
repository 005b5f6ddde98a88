#include "verifiers/spelling.h"

namespace covrl {

const std::unordered_map<std::string_view, CommandRule>& command_rules() {
  static const std::unordered_map<std::string_view, CommandRule> rules = [] {
    std::unordered_map<std::string_view, CommandRule> table;
    for (const std::string_view name : {"text", "textrm", "textbf", "textit", "textsf", "texttt",
                                        "mbox", "mathrm", "operatorname", "textnormal"})
      table[name] = {Command::kText};
    for (const std::string_view name :
         {"mathbf", "mathit", "mathsf", "boldsymbol", "bm", "boxed", "fbox", "emph"})
      table[name] = {Command::kFont};
    for (const std::string_view name : {"left", "right", "big", "Big", "bigg", "Bigg", "bigl",
                                        "bigr", "Bigl", "Bigr", "biggl", "biggr"})
      table[name] = {Command::kSize};
    for (const std::string_view name :
         {"displaystyle", "textstyle", "limits", "rm", "bf", "it", "degree", "degrees", "pounds",
          "euro", "nolimits", "thinspace"})
      table[name] = {Command::kReplace, ""};
    for (const std::string_view name : {"quad", "qquad", "enspace", "space"})
      table[name] = {Command::kReplace, " "};
    for (const std::string_view name : {"frac", "dfrac", "tfrac", "cfrac"})
      table[name] = {Command::kArguments, "\\frac", 2};
    table["sqrt"] = {Command::kArguments, "\\sqrt", 1};
    for (const std::string_view name : {"cdot", "times", "ast"})
      table[name] = {Command::kReplace, "*"};
    for (const std::string_view name : {"le", "leq", "leqslant"})
      table[name] = {Command::kReplace, "<="};
    for (const std::string_view name : {"ge", "geq", "geqslant"})
      table[name] = {Command::kReplace, ">="};
    for (const std::string_view name : {"ne", "neq"}) table[name] = {Command::kReplace, "!="};
    table["lt"] = {Command::kReplace, "<"};
    table["gt"] = {Command::kReplace, ">"};
    table["div"] = {Command::kReplace, "/"};
    table["colon"] = {Command::kReplace, ":"};
    table["infin"] = {Command::kReplace, "\\infty "};
    table["lbrace"] = {Command::kReplace, "\\{"};
    table["rbrace"] = {Command::kReplace, "\\}"};
    return table;
  }();
  return rules;
}

}  // namespace covrl
