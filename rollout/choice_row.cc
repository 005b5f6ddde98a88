#include "rollout/choice_row.h"

#include "core/error.h"

namespace covrl {

bool is_choice_row(const Json& row) {
  const auto question = row.find("question"), choices = row.find("choices"),
             key = row.find("answerKey");
  return question != row.end() && question->is_string() && key != row.end() && key->is_string() &&
         choices != row.end() && choices->is_object();
}

std::string option_lines(const Json& row, const std::string& gold, const std::string& where) {
  const Json& choices = row["choices"];
  const Json labels = choices.value("label", Json()), texts = choices.value("text", Json());
  if (!labels.is_array() || !texts.is_array() || labels.empty() || labels.size() != texts.size())
    throw_usage(where,
                ": column \"choices\" must be {\"label\": [...], \"text\": [...]}, as many "
                "labels as texts; got ",
                choices.dump());
  std::string lines;
  bool has_gold = false;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i].is_string() || !texts[i].is_string())
      throw_usage(where, ": column \"choices\": labels and texts must be text; got ",
                  choices.dump());
    has_gold = has_gold || labels[i] == gold;
    lines += concat("\n", labels[i].get<std::string>(), ". ", texts[i].get<std::string>());
  }
  if (!has_gold)
    throw_usage(where, ": answerKey '", gold, "' is none of the labels ", labels.dump());
  return lines;
}

Json with_choices(const Json* extra_info, const Json& row) {
  Json extra = extra_info != nullptr && extra_info->is_object() ? *extra_info : Json::object();
  extra["choices"] = row["choices"];
  return extra;
}

}  // namespace covrl
