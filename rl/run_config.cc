#include "rl/run_config.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "core/error.h"

namespace covrl {
namespace {

// The whole rollout batch in what the mini-batch is counted in.
int64_t batch_size(const RunConfig& config, const UpdateConfig& update) {
  const bool prompts = update.ppo_mini_batch_unit == MiniBatchUnit::kPrompts;
  return config.trainer.train_batch_size * (prompts ? 1 : config.rollout.n);
}

const char* unit_name(const UpdateConfig& update) {
  return update.ppo_mini_batch_unit == MiniBatchUnit::kPrompts ? "prompts" : "responses";
}

int64_t num_updates(const RunConfig& config, const UpdateConfig& update) {
  const int64_t whole = batch_size(config, update);
  const int64_t part = update.ppo_mini_batch_size == 0 ? whole : update.ppo_mini_batch_size;
  return (whole + part - 1) / part * update.ppo_epochs;
}

// "8 updates per rollout step, 16 prompts (128 completions) each"
std::string updates_text(const RunConfig& config, const UpdateConfig& update) {
  const int64_t updates = num_updates(config, update), n = config.rollout.n;
  const int64_t part =
      update.ppo_mini_batch_size == 0 ? batch_size(config, update) : update.ppo_mini_batch_size;
  const bool prompts = update.ppo_mini_batch_unit == MiniBatchUnit::kPrompts;
  const std::string head =
      concat(updates, updates == 1 ? " update" : " updates", " per rollout step, ");
  if (prompts) return concat(head, part, " prompts (", part * n, " completions) each");
  if (part % n == 0) return concat(head, part / n, " prompts (", part, " completions) each");
  return concat(head, part, " completions each, which cuts groups of ", n);
}

void check_mini_batch(const RunConfig& config, const UpdateConfig& update, const char* section,
                      config::Visitor& v) {
  v.check(update.ppo_mini_batch_size <= batch_size(config, update), section,
          concat("ppo_mini_batch_size is ", update.ppo_mini_batch_size, " ", unit_name(update),
                 ", more than the ", batch_size(config, update),
                 " of a rollout step (trainer.train_batch_size = ", config.trainer.train_batch_size,
                 ", rollout.n = ", config.rollout.n, "); lower it, or set 0 for the whole batch"));
}

double logprob_temperature(const RunConfig& config) {
  return config.actor.logprob_temperature.value_or(config.rollout.temperature);
}

// "temperature: ..." of the batch table; empty where there is one for all.
std::string temperature_line(const RunConfig& config) {
  if (logprob_temperature(config) == config.rollout.temperature) return "";
  return concat("  temperature:  ", config.rollout.temperature, " of sampling, ",
                logprob_temperature(config), " of log-probs and entropy\n");
}

// "loss: ..." of the batch table where no term of it moves the policy; else empty.
std::string idle_line(const RunConfig& config) {
  const OptimizerConfig& optim = config.actor.optim;
  const char* still = "the weights stay as they are";
  if (optim.lr == 0) return concat("  loss:         actor.optim.lr is 0: ", still, "\n");
  if (config.actor.has_loss()) return "";
  return concat("  loss:         no term (pg_loss_coeff 0, kl_loss_coef 0, entropy_control none): ",
                optim.weight_decay > 0 ? "only weight decay moves the policy" : still, "\n");
}

// "critic: ..." of the batch table; empty without one.
std::string critic_line(const RunConfig& config) {
  if (!has_critic(config)) return "";
  std::string line = concat("  critic:       ", updates_text(config, config.critic));
  if (config.trainer.critic_warmup > 0)
    line += concat("; it learns alone in the first ", config.trainer.critic_warmup, " steps");
  return line + "\n";
}

void check_critic(const RunConfig& config, config::Visitor& v) {
  const TrainerSection& trainer = config.trainer;
  const std::string remedy = concat(
      "has no effect with algorithm.adv_estimator ", config.algorithm.advantage.adv_estimator,
      ", which has no critic; set adv_estimator: gae, or remove the key");
  v.check(has_critic(config) || config.critic == CriticConfig(), "critic", remedy);
  v.check(has_critic(config) || trainer.critic_warmup == 0, "trainer",
          concat("critic_warmup ", remedy));
  v.check(trainer.critic_warmup == 0 || trainer.critic_warmup < trainer.total_steps, "trainer",
          concat("critic_warmup is ", trainer.critic_warmup, " of ", trainer.total_steps,
                 " steps: the policy would never learn; lower it, or raise total_steps"));
  check_mini_batch(config, config.critic, "critic", v);
}

}  // namespace

void ModelSection::describe(config::Visitor& v) {
  v.field("path", path,
          "Checkpoint folder in Hugging Face layout; with init: random, a folder with config and "
          "tokenizer.");
  v.word("init", init,
         "Start from the checkpoint's weights, or from random ones (to profile a model that is not "
         "here).",
         {"checkpoint", "random"});
  v.field("chat_template", chat_template,
          "Family name or .jinja file; empty: the checkpoint's own template.");
  v.word("kernels", kernels,
         "fast, or reference: every op by the plain oracle, to bisect a bad run.",
         {"fast", "reference"});
  v.word("device", device, "Where the model lives; auto: a GPU where there is one, else the CPU.",
         {"auto", "cpu", "cuda"});
  v.check(!path.empty(), "path", "is required: the checkpoint folder to start from");
}

void RolloutSection::describe(config::Visitor& v) {
  v.field("n", n, "Samples per prompt; together they are the group of an advantage.", {1, 65536});
  v.field("temperature", temperature,
          "Sampling temperature; the learner's log-probs and entropy too, unless "
          "actor.logprob_temperature is given.",
          {1e-3, 100});
  v.field("top_k", top_k, "Sample among the k likeliest tokens; 0: off.", {0, 1e9});
  v.field("top_p", top_p, "Sample within the smallest set of this probability; 1: off.", {1e-6, 1});
  v.field("max_new_tokens", max_new_tokens, "Longest completion, in tokens.", {1, 1e7});
  v.field("max_batch", max_batch, "Sequences decoded together: speed and memory only.", {1, 65536});
  v.field("max_logprob_gap", max_logprob_gap,
          "Mean |sampler - learner| log-prob (nats) above which the run stops.", {0, 100});
}

void AlgorithmSection::describe(config::Visitor& v) {
  advantage.describe(v);
  v.section("rollout_correction", rollout_correction,
            "Correction for a sampler that is not quite the learner's policy.");
  reward_kl.describe(v);
  v.section("filter_groups", filter_groups, "Dynamic sampling.");
  v.section("overlong_buffer", overlong_buffer, "Penalty for completions near the length limit.");
  v.field("overlong_filter", overlong_filter,
          "Leave completions that were cut off at rollout.max_new_tokens out of the loss; their "
          "rewards still count in the statistics of the group.");
}

namespace {

// What is wrong with the files and their rules; "" when nothing.
std::string files_fault(const EvalSection& eval) {
  try {
    for (const EvalFile& file : parse_eval_files(eval.files, eval))
      if (file.name == "train")
        return concat(file.path, ": the set 'train' is that of the training problems; rename it");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Verifiers that sets name, where the files can be read at all.
std::vector<std::string> set_verifiers(const EvalSection& eval) {
  std::vector<std::string> names;
  if (!files_fault(eval).empty()) return names;
  for (const EvalFile& file : parse_eval_files(eval.files, eval))
    if (file.rules.verifier != "main") names.push_back(file.rules.verifier);
  return names;
}

}  // namespace

void EvalSection::describe(config::Visitor& v) {
  v.field("files", files,
          "Problem sets, each named after its file stem; a set may have rules of its own: "
          "FILE:samples=8:temperature=0.6:verifier=choice, with any key from samples to shots.");
  v.field("every", every, "Steps between evaluations; 0: only before and after.", {0, 1e9});
  v.field("before_train", before_train, "Evaluate before the first step.");
  EvalRules::describe(v);
  v.field("train_problems", train_problems,
          "First distinct training problems, evaluated as the set `train`; 0: none.", {0, 1e9});
  v.field("reflection_words", reflection_words,
          "Self-reflection words: the share of responses with one of them, or an inflection, is "
          "logged.");
  v.check(std::ranges::find(reflection_words, "") == reflection_words.end(), "reflection_words",
          "holds an empty word; leave it out");
  const std::string fault = files_fault(*this);
  v.check(fault.empty(), "files", fault);
}

void TrainerSection::describe(config::Visitor& v) {
  v.field("total_steps", total_steps, "Rollout steps of the run.", {0, 1e9});
  v.field("train_batch_size", train_batch_size, "Prompts per rollout step.", {1, 1e7});
  v.field("critic_warmup", critic_warmup,
          "First steps, in which only the critic learns; with adv_estimator gae.", {0, 1e9});
  v.field("seed", seed, "Seed of every draw of the run.", {0, 9007199254740992.0});
  v.field("run_dir", run_dir, "Folder of the run: config, metrics, samples, checkpoints, report.");
  v.field("resume", resume,
          "auto: go on from the latest checkpoint of run_dir; never: start anew, an earlier run is "
          "moved aside; or a checkpoint folder: later checkpoints of run_dir are set aside.");
  v.field("allow_changed_config", allow_changed_config,
          "Resume although keys that alter the maths have changed.");
  v.field("save_every", save_every, "Steps between checkpoints; 0: at the end only.", {0, 1e9});
  v.field("keep_checkpoints", keep_checkpoints, "Latest checkpoints to keep; 0: all.", {0, 1e9});
  v.word("save_dtype", save_dtype, "Type of the exported weights; checkpoint: as loaded.",
         {"checkpoint", "float32", "bfloat16"});
  v.field("num_threads", num_threads,
          "Threads per process; 0: the cores divided among the processes.", {0, 1024});
  v.field(
      "log_samples", log_samples,
      "Trajectories per step written to samples.jsonl, those of the first training example before "
      "the others; -1: all.",
      {-1, 1e9});
  v.field("saturation_accuracy", saturation_accuracy,
          "Mean training accuracy of the last five steps from which the run counts as saturated.",
          {0, 1});
  v.check(!run_dir.empty(), "run_dir", "must not be empty");
}

void ClusterSection::describe(config::Visitor& v) {
  v.field("learners", learners,
          "0: every rank samples and learns; L: ranks 0..L-1 learn, the others sample.", {0, 1e6});
}

namespace {

// What compares the completions of one prompt needs two of them.
void check_group_size(config::Visitor& v, const RunConfig& config) {
  const bool several = config.rollout.n > 1;
  v.check(
      several || config.algorithm.advantage.adv_estimator != "grpo_passk", "algorithm",
      "adv_estimator grpo_passk compares the best two completions of a prompt, and rollout.n is "
      "1; set rollout.n to 2 or more");
  v.check(several || !config.algorithm.filter_groups.enable, "algorithm",
          "filter_groups drops prompts whose completions are alike, and rollout.n is 1; set "
          "rollout.n to 2 or more, or filter_groups.enable to false");
}

// A rollback goes to a checkpoint from before the alarm's window, which must still be there.
void check_rollback(config::Visitor& v, const AlarmsConfig& alarms, const TrainerSection& trainer) {
  const int64_t every = trainer.save_every, keep = trainer.keep_checkpoints;
  v.check(alarms.action != "rollback" ||
              (every > 0 && (keep == 0 || (keep - 1) * every >= alarms.window)),
          "alarms",
          concat("action rollback goes back to a checkpoint from before the last ", alarms.window,
                 " steps, and trainer.save_every = ", every, " with trainer.keep_checkpoints = ",
                 keep, " need not leave one; set save_every, and keep_checkpoints to 0 (all) or ",
                 every > 0 ? (alarms.window + every - 1) / every + 1 : 2, " or more"));
}

// merge_copies changes what advantages are relative to.
void check_merged_copies(config::Visitor& v, const RunConfig& config) {
  const std::string& estimator = config.algorithm.advantage.adv_estimator;
  const bool has_groups =
      estimator != "gae" && estimator != "reinforce_plus_plus" && estimator != "remax";
  v.check(!config.data.merge_copies || has_groups, "data",
          concat("merge_copies has no effect with algorithm.adv_estimator ", estimator,
                 ", which compares no completions of one prompt; remove it, or choose another"));
  v.check(!config.data.merge_copies || !config.algorithm.filter_groups.enable, "data",
          "merge_copies and algorithm.filter_groups.enable exclude each other: the filter looks at "
          "each copy for itself; set one of them false");
}

}  // namespace

void RunConfig::describe(config::Visitor& v) {
  v.section("model", model, "The policy.");
  v.section("data", data, "Training prompts.");
  v.section("rollout", rollout, "Sampling.");
  v.section("algorithm", algorithm, "From rewards to advantages.");
  v.section("actor", actor, "The learner: loss, entropy control, optimizer.");
  v.section("critic", critic, "The critic of PPO: loss and optimizer; with adv_estimator gae.");
  v.section("verifier", verifier, "Who scores completions.");
  v.section("reward", reward, "What the verdicts become, and who looks at them again.");
  v.section("eval", eval, "Evaluation during training.");
  v.section("alarms", alarms, "What to watch for, and what to do then.");
  v.section("trainer", trainer, "The run.");
  v.section("cluster", cluster, "Roles of the ranks.");
  v.check(!data.train_files.empty(), "data",
          "train_files is required: one or more jsonl or parquet files of problems");
  v.check(
      !algorithm.rollout_correction.bypass_mode || !actor.policy_loss.traits().on_policy,
      "algorithm",
      concat("rollout_correction.bypass_mode has no effect with actor.policy_loss.kind ",
             actor.policy_loss.kind, ", which has no ratio; set rollout_correction.rollout_is"));
  v.check(!algorithm.rollout_correction.bypass_mode ||
              logprob_temperature(*this) == rollout.temperature,
          "algorithm",
          concat("rollout_correction.bypass_mode takes the sampler's log-probs, which are at "
                 "rollout.temperature = ",
                 rollout.temperature,
                 ", for old ones at actor.logprob_temperature = ", logprob_temperature(*this),
                 ": the ratio would not begin at 1; remove one of the two keys"));
  check_mini_batch(*this, actor, "actor", v);
  check_group_size(v, *this);
  check_merged_copies(v, *this);
  v.check(
      !algorithm.overlong_buffer.enable || algorithm.overlong_buffer.len <= rollout.max_new_tokens,
      "algorithm",
      concat("overlong_buffer.len is ", algorithm.overlong_buffer.len,
             " tokens, more than rollout.max_new_tokens = ", rollout.max_new_tokens,
             "; give a shorter buffer"));
  check_critic(*this, v);
  check_verifiers(v, verifier, reward, reward.audit, set_verifiers(eval));
  check_rollback(v, alarms, trainer);
}

bool has_critic(const RunConfig& config) {
  return config.algorithm.advantage.adv_estimator == "gae";
}

int64_t updates_per_step(const RunConfig& config) { return num_updates(config, config.actor); }

int64_t critic_updates_per_step(const RunConfig& config) {
  return num_updates(config, config.critic);
}

std::string batch_table(const RunConfig& config, int num_ranks) {
  const int64_t prompts = config.trainer.train_batch_size;
  const int64_t updates = updates_per_step(config);
  std::ostringstream out;
  out << "  rollout step: " << prompts << " prompts x " << config.rollout.n
      << " samples = " << prompts * config.rollout.n << " completions of at most "
      << config.rollout.max_new_tokens << " tokens\n"
      << "  optimizer:    " << updates_text(config, config.actor)
      << (updates == 1 && config.actor.pg_loss_coeff > 0
              ? "; strictly on-policy: the ratio is 1 and the clip never acts"
              : "")
      << "\n"
      << idle_line(config) << temperature_line(config) << critic_line(config)
      << "  run:          " << config.trainer.total_steps << " rollout steps, "
      << config.trainer.total_steps * updates << " updates, "
      << config.trainer.total_steps * prompts * config.rollout.n << " completions\n"
      << "  ranks:        " << num_ranks;
  if (config.cluster.learners == 0) {
    out << (num_ranks == 1 ? ", which samples and learns\n" : ", each samples and learns\n");
  } else {
    out << ": " << config.cluster.learners << " learn, " << num_ranks - config.cluster.learners
        << " sample\n";
  }
  return out.str();
}

bool may_change_on_resume(const std::string& key) {
  static const std::array<std::string, 19> prefixes = {
      "alarms.",
      "eval.",
      "model.device",
      "cluster.",
      "trainer.total_steps",
      "trainer.run_dir",
      "trainer.resume",
      "trainer.allow_changed_config",
      "trainer.save_every",
      "trainer.keep_checkpoints",
      "trainer.save_dtype",
      "trainer.num_threads",
      "trainer.log_samples",
      "trainer.saturation_accuracy",
      "rollout.max_batch",
      "rollout.max_logprob_gap",
      "verifier.num_threads",
      "reward.audit.",
      "reward.max_failed_share",
  };
  for (const std::string& prefix : prefixes)
    if (key.compare(0, prefix.size(), prefix) == 0) return true;
  return false;
}

}  // namespace covrl
