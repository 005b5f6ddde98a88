#include "rl/commands/verifier_words.h"

#include "rl/judge_text.h"
#include "rl/reward_config.h"
#include "verifiers/weighted.h"

namespace covrl {
namespace {

struct JudgeConfig {
  VerifierConfig verifier;
  WeightsConfig reward;
  std::vector<std::string> others;
  void describe(config::Visitor& v) {
    v.section("verifier", verifier, "Who judges.");
    v.section("reward", reward, "What the verdicts become.");
    check_verifiers(v, verifier, reward, {}, others);
  }
};

JudgeConfig load_judge(const VerifierWords& words) {
  JudgeConfig judge;
  judge.verifier.name = {words.name};
  judge.others = words.others;
  config::load({{}, words.overrides}, [&](config::Visitor& v) { judge.describe(v); });
  return judge;
}

}  // namespace

void add_verifier_words(cli::Parser& parser, VerifierWords& words) {
  parser.option("--verifier", words.name, "who judges").choices(verifier_names());
  parser.positionals(words.overrides, "a.b=value",
                     "keys as in a training configuration: verifier.name=[math,format], "
                     "verifier.numeric.rel_tol=0.01, reward.weights=[1,0.1]");
}

std::unique_ptr<Verifier> make_verifier(const VerifierWords& words) {
  const JudgeConfig judge = load_judge(words);
  return make_verifiers(judge.verifier.name, judge.reward.weights, judge.verifier.options);
}

std::string judge_text(const VerifierWords& words) {
  const JudgeConfig judge = load_judge(words);
  return judge_text(judge.verifier.name, judge.reward.weights, judge.verifier.options);
}

std::string judge_text(const VerifierWords& words, const std::string& other) {
  return judge_text({other}, {}, load_judge(words).verifier.options);
}

VerifierOptions verifier_options(const VerifierWords& words) {
  return load_judge(words).verifier.options;
}

}  // namespace covrl
