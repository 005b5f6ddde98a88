#include "rl/evaluation/eval_set.h"

#include "core/error.h"
#include "core/log.h"
#include "rl/judge_text.h"
#include "rollout/prompt_style.h"

namespace covrl {
namespace {

void warn_of_examples(const EvalFile& file, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  constexpr size_t kShown = 3;
  std::string shown;
  for (size_t i = 0; i < ids.size() && i < kShown; ++i) shown += (i == 0 ? "" : ", ") + ids[i];
  log::warning(concat(file.name, ": ", ids.size(), " of its problems (", shown,
                      ids.size() > kShown ? ", ..." : "", ") are examples of ", file.rules.few_shot,
                      ": their answers stand in the prompt"));
}

}  // namespace

EvalSet load_eval_set(const EvalFile& file, const DataConfig& data, const Pretrained& pretrained,
                      const VerifierOptions& options) {
  const EvalRules& rules = file.rules;
  std::vector<FewShotExample> examples;
  if (!rules.few_shot.empty()) examples = read_examples(rules.few_shot, data, rules.shots);
  const int64_t limit = rules.max_problems > 0 ? rules.max_problems : -1;
  StyledPrompts styled =
      prepare_styled(read_prompts(file.path, data, limit), find_prompt_style(rules.prompt_style),
                     examples, data, pretrained);
  if (styled.set.num_dropped > 0)
    log::warning(concat(file.name, ": ", styled.set.num_dropped, " of ", styled.set.num_rows,
                        " problems are left out: longer than ", data.max_prompt_length,
                        " tokens as a prompt"));
  warn_of_examples(file, styled.example_ids);
  EvalSet set{file.name, std::move(styled.set.prompts), rules};
  set.stop_token_ids = std::move(styled.stop_token_ids);
  set.stop_texts = std::move(styled.stop_texts);
  if (rules.verifier != "main") {
    set.verifier = make_verifier(rules.verifier, options);
    set.judge = judge_text({rules.verifier}, {}, options);
  }
  return set;
}

std::map<std::string, std::string> judges_of(const std::vector<EvalSet>& sets,
                                             const std::string& main_judge) {
  std::map<std::string, std::string> judges;
  for (const EvalSet& set : sets) judges[set.name] = set.judge.empty() ? main_judge : set.judge;
  return judges;
}

}  // namespace covrl
