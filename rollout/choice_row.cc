#include "rollout/choice_row.h"

#include "core/error.h"

namespace covrl {

namespace {

// {"label": [...], "text": [...]}, also of [{"label", "text"}, ...]; else the choices as they are.
Json columns_of(const Json& choices) {
  if (!choices.is_array()) return choices;
  Json labels = Json::array(), texts = Json::array();
  for (const Json& choice : choices) {
    if (!choice.is_object() || !choice.contains("label") || !choice.contains("text"))
      return choices;
    labels.push_back(choice["label"]);
    texts.push_back(choice["text"]);
  }
  return {{"text", texts}, {"label", labels}};
}

}  // namespace

bool is_choice_row(const Json& row) {
  const auto question = row.find("question"), choices = row.find("choices"),
             key = row.find("answerKey");
  return question != row.end() && question->is_string() && key != row.end() && key->is_string() &&
         choices != row.end() && choices->is_structured();
}

std::string option_lines(const Json& row, const std::string& gold, const std::string& where) {
  const Json choices = columns_of(row["choices"]);
  const Json labels = choices.is_object() ? choices.value("label", Json()) : Json(),
             texts = choices.is_object() ? choices.value("text", Json()) : Json();
  if (!labels.is_array() || !texts.is_array() || labels.empty() || labels.size() != texts.size())
    throw_usage(where,
                ": column \"choices\" must be {\"label\": [...], \"text\": [...]}, as many "
                "labels as texts, or [{\"label\", \"text\"}, ...]; got ",
                row["choices"].dump());
  std::string lines;
  bool has_gold = false;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i].is_string() || !texts[i].is_string())
      throw_usage(where, ": column \"choices\": labels and texts must be text; got ",
                  row["choices"].dump());
    has_gold = has_gold || labels[i] == gold;
    lines += concat("\n", labels[i].get<std::string>(), ". ", texts[i].get<std::string>());
  }
  if (!has_gold)
    throw_usage(where, ": answerKey '", gold, "' is none of the labels ", labels.dump());
  return lines;
}

Json with_choices(const Json* extra_info, const Json& row) {
  Json extra = extra_info != nullptr && extra_info->is_object() ? *extra_info : Json::object();
  extra["choices"] = columns_of(row["choices"]);
  return extra;
}

}  // namespace covrl
