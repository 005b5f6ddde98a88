#include "rl/trainer.h"

#include <cmath>
#include <limits>

#include "core/interrupt.h"
#include "core/log.h"
#include "rl/dynamic_sampling.h"
#include "rl/estimate.h"
#include "rl/evaluation/best_step.h"
#include "rl/evaluation/eval_metrics.h"
#include "rl/evaluation/eval_tables.h"
#include "rl/greedy_baseline.h"
#include "rl/judge_text.h"
#include "rl/overlong.h"
#include "rl/report/report.h"
#include "rl/step_metrics.h"
#include "verifiers/weighted.h"

namespace covrl {

namespace {

SamplingParams sampling_params(const RunConfig& config, const Pretrained& pretrained) {
  SamplingParams params;
  params.filter.temperature = config.rollout.temperature;
  params.filter.top_k = config.rollout.top_k;
  params.filter.top_p = config.rollout.top_p;
  params.max_new_tokens = config.rollout.max_new_tokens;
  params.stop_token_ids = pretrained.generation.eos_token_ids;
  params.seed = static_cast<uint64_t>(config.trainer.seed);
  return params;
}

RunDir prepare_run_dir(const TrainerSection& trainer, Communicator& world) {
  check_resume(trainer.resume);
  RunDir dir{trainer.run_dir};
  if (world.is_root()) {
    if (trainer.resume == "never") start_anew(trainer.run_dir);
    dir = open_run_dir(trainer.run_dir);
  }
  world.barrier();
  return dir;
}

// What the law of entropy is about: the accuracy that progress shows. Without evaluation: nothing.
std::string watched_accuracy(const std::vector<EvalSet>& sets) {
  return sets.empty() ? "" : accuracy_metric(sets.front().name, sets.front().rules);
}

// Name and accuracy of every set but that of the training problems, on which no step is chosen.
std::vector<std::pair<std::string, std::string>> test_accuracies(const Evaluator& evaluator) {
  std::vector<std::pair<std::string, std::string>> metrics;
  for (const EvalSet& set : evaluator.sets())
    if (set.name != "train") metrics.emplace_back(set.name, accuracy_metric(set.name, set.rules));
  return metrics;
}

}  // namespace

Trainer::Trainer(RunConfig config, RunInputs inputs, Cluster& cluster,
                 const std::vector<std::string>& argv)
    : config_(std::move(config)),
      config_yaml_(
          config::dump([&](config::Visitor& v) { config_.describe(v); }, config::Comments::kNone)),
      cluster_(cluster),
      pretrained_(std::move(inputs.pretrained)),
      verifier_(
          make_verifiers(config_.verifier.name, config_.reward.weights, config_.verifier.options)),
      audit_verifier_(config_.reward.audit.enabled()
                          ? make_verifier(config_.reward.audit.verifier, config_.verifier.options)
                          : nullptr),
      advantage_(make_advantage(config_.algorithm.advantage)),
      reward_kl_(config_.algorithm.reward_kl),
      prompts_(std::move(inputs.train.prompts), config_.trainer.train_batch_size,
               static_cast<uint64_t>(config_.trainer.seed),
               config_.data.shuffle ? Order::kShuffled : Order::kAsGiven),
      sampler_(*pretrained_.model, *pretrained_.tokenizer, *verifier_, cluster_,
               {config_.rollout.max_batch}, static_cast<int>(config_.verifier.num_threads)),
      entropy_watch_(watched_accuracy(inputs.eval_sets)),
      saturation_(config_.trainer.saturation_accuracy),
      alarms_(config_.alarms),
      evaluator_(std::move(inputs.eval_sets), sampling_params(config_, pretrained_)),
      dir_(prepare_run_dir(config_.trainer, cluster_.world())),
      progress_(1, config_.trainer.total_steps) {
  if (cluster_.learns()) {
    if (config_.actor.kl_loss_coef != 0 || config_.algorithm.reward_kl.use_kl_in_reward)
      reference_ = pretrained_.model->clone();
    learner_ = std::make_unique<Learner>(
        config_.actor, *pretrained_.model, reference_ ? &*reference_ : nullptr, cluster_.learners(),
        config_.rollout.temperature, static_cast<uint64_t>(config_.trainer.seed),
        (config_.trainer.total_steps - config_.trainer.critic_warmup) * updates_per_step(config_),
        config_.rollout.max_new_tokens);
  }
  if (cluster_.learns() && has_critic(config_))
    critic_ =
        std::make_unique<Critic>(config_.critic, *pretrained_.model, cluster_.learners(),
                                 config_.trainer.total_steps * critic_updates_per_step(config_),
                                 config_.rollout.max_new_tokens);
  resume(argv);
}

RunEnd Trainer::run() {
  int64_t step = state_.step;
  if (step == 0 && config_.eval.before_train) {
    Metrics metrics;
    evaluate(0, metrics);
    if (sink_ && !metrics.empty()) {
      observe(0, metrics);
      sink_->write(0, metrics);
    }
  }
  if (alarm_ends_run()) return end_by_alarm(step);  // the one that ended the run before
  while (step < config_.trainer.total_steps) {
    this->step(++step);
    if (alarm_ends_run()) return end_by_alarm(step);
    const bool last = step == config_.trainer.total_steps;
    const bool stopping = !last && interrupt_requested(cluster_.world());
    if (last || stopping || is_due(step, config_.trainer.save_every)) save(step);
    if (stopping) {
      log::finish_progress();
      log::info(interrupted_text(step, config_.trainer.resume));
      return RunEnd::kInterrupted;
    }
  }
  finish(step);
  return RunEnd::kComplete;
}

void Trainer::step(int64_t step) {
  Metrics metrics;
  Stopwatch whole, watch;
  const int64_t batches_before = state_.prompt_batches;
  const std::vector<Group> groups = sample(step, metrics);
  std::vector<Group> greedy;
  if (advantage_->needs_baseline()) greedy = sample_greedily(step, groups);
  const double sampling_seconds = watch.lap();
  Batch batch = Batch::pack(static_cast<uint64_t>(step), groups);
  if (advantage_->needs_baseline()) add_greedy_baselines(batch, greedy, metrics);
  const double scoring_seconds = score(batch, metrics);
  check_gap(step, batches_before, metrics);
  const LearningSeconds learning = learn(step, batch, metrics);
  watch.lap();
  sync_->publish();
  sync_->report(metrics);
  metrics.set("timing_s/gen", sampling_seconds);
  metrics.set("timing_s/old_log_prob", scoring_seconds);
  metrics.set("timing_s/update_actor", learning.actor);
  metrics.set("timing_s/update_weights", watch.lap());
  metrics.set("perf/total_num_tokens", static_cast<double>(batch.num_tokens()));
  const bool last = step == config_.trainer.total_steps;
  if (last || is_due(step, config_.eval.every)) evaluate(step, metrics);
  metrics.set("timing_s/testing", watch.lap());
  metrics.set("timing_s/step", whole.seconds());
  metrics.set("perf/throughput",
              static_cast<double>(batch.num_tokens()) /
                  (sampling_seconds + scoring_seconds + learning.critic + learning.actor));
  if (!is_root()) return;
  recorder_->write(step, groups, config_.trainer.log_samples, prompts_.prompts().front().id);
  observe(step, metrics);
  if (selection_log_)
    selection_log_->write(step, learner_->selected_tokens(), batch, groups, *pretrained_.tokenizer);
  sink_->write(step, metrics);
  progress_.show(step, metrics);
}

Trainer::LearningSeconds Trainer::learn(int64_t step, Batch& batch, Metrics& metrics) {
  LearningSeconds seconds;
  if (!learner_) return seconds;
  correct_rollout(config_.algorithm.rollout_correction, batch, metrics);
  seconds.critic = fill_values(batch, metrics);
  estimate_advantages(batch, *advantage_, reward_kl_,
                      config_.algorithm.overlong_filter ? Truncated::kLeftOut : Truncated::kLearned,
                      metrics);
  seconds.critic += update_critic(batch, metrics);
  if (step <= config_.trainer.critic_warmup) return seconds;
  const Stopwatch watch;
  const Metrics learning = learner_->update(batch);
  seconds.actor = watch.seconds();
  for (const auto& [name, value] : learning.entries()) metrics.set(name, value);
  return seconds;
}

double Trainer::score(Batch& batch, Metrics& metrics) {
  if (!learner_) return 0;
  Stopwatch watch;
  learner_->score(batch);
  const double seconds = watch.lap();
  add_gap_metrics(batch, metrics);
  return seconds;
}

double Trainer::fill_values(Batch& batch, Metrics& metrics) {
  if (!critic_) return 0;
  const Stopwatch watch;
  critic_->fill_values(batch);
  metrics.set("timing_s/values", watch.seconds());
  return watch.seconds();
}

double Trainer::update_critic(const Batch& batch, Metrics& metrics) {
  if (!critic_) return 0;
  const Stopwatch watch;
  const Metrics learning = critic_->update(batch);
  for (const auto& [name, value] : learning.entries()) metrics.set(name, value);
  metrics.set("timing_s/update_critic", watch.seconds());
  return watch.seconds();
}

RolloutPlan Trainer::rollout_plan(int64_t step) const {
  RolloutPlan plan;
  plan.params = sampling_params(config_, pretrained_);
  plan.num_samples = config_.rollout.n;
  plan.step = static_cast<uint64_t>(step);
  plan.weight_version = sync_->version();
  return plan;
}

std::vector<Group> Trainer::sample(int64_t step, Metrics& metrics) {
  const AlgorithmSection& algorithm = config_.algorithm;
  const auto num_groups = static_cast<size_t>(config_.trainer.train_batch_size);
  const int64_t batches_before = state_.prompt_batches;
  RolloutPlan plan = rollout_plan(step);
  plan.audit_verifier = audit_verifier_.get();
  plan.audit_share = config_.reward.audit.share;
  const auto generate = [&](int64_t batch) {
    plan.first_slot = static_cast<uint64_t>(batch) * num_groups;
    std::vector<Group> groups = sampler_.sample(prompts_.batch(++state_.prompt_batches), plan);
    for (Group& group : groups) group.slot += plan.first_slot;
    if (config_.data.merge_copies) merge_copies(groups);
    shape_overlong(algorithm.overlong_buffer, config_.rollout.max_new_tokens, groups);
    return groups;
  };
  DynamicSample sample = sample_dynamically(algorithm.filter_groups, num_groups, generate);
  try {  // every rank holds all groups, and finds the same
    check_failed_share(sample.sampled, config_.reward.max_failed_share);
    check_enough_kept(algorithm.filter_groups, num_groups, sample);
  } catch (const Error&) {
    state_.prompt_batches = batches_before;
    save_last_learned(step - 1);
    throw;
  }
  add_group_metrics(sample.sampled, metrics);
  add_verifier_metrics(config_.verifier.name, sample.sampled, metrics);
  if (audit_verifier_) add_audit_metrics(sample.sampled, metrics);
  if (audit_log_) audit_log_->write(step, sample.sampled);
  if (example_log_) example_log_->write(step, sample.sampled);
  add_dynamic_metrics(algorithm.filter_groups, sample, metrics);
  add_overlong_metrics(algorithm.overlong_buffer, config_.rollout.max_new_tokens, sample.sampled,
                       metrics);
  std::vector<Group> groups;
  for (size_t i = 0; i < num_groups; ++i)
    groups.push_back(std::move(sample.sampled[sample.kept[i]]));
  return groups;
}

std::vector<Group> Trainer::sample_greedily(int64_t step, const std::vector<Group>& groups) {
  RolloutPlan plan = rollout_plan(step);
  plan.params.filter = {.temperature = 0};
  plan.num_samples = 1;
  std::vector<Prompt> prompts;
  for (const Group& group : groups) prompts.push_back(group.prompt);
  std::vector<Group> greedy = sampler_.sample(prompts, plan);
  for (size_t i = 0; i < groups.size(); ++i) greedy[i].slot = groups[i].slot;
  shape_overlong(config_.algorithm.overlong_buffer, config_.rollout.max_new_tokens, greedy);
  return greedy;
}

void Trainer::check_gap(int64_t step, int64_t batches_before, const Metrics& metrics) {
  const double* of_learner = metrics.find("training/rollout_logprob_diff_mean");
  double gap = of_learner ? *of_learner : 0;
  if (std::isnan(gap)) gap = std::numeric_limits<double>::infinity();
  cluster_.world().all_reduce_max(std::span(&gap, 1));
  if (gap <= config_.rollout.max_logprob_gap) return;
  state_.prompt_batches = batches_before;
  save_last_learned(step - 1);
  throw_runtime("sampler and learner disagree by ", gap,
                " nats a token on average, more than rollout.max_logprob_gap = ",
                config_.rollout.max_logprob_gap,
                "; nothing was learned from this step. Look for the cause with "
                "model.kernels=reference before raising the bound.");
}

void Trainer::evaluate(int64_t step, Metrics& metrics) {
  if (evaluator_.empty()) return;
  const std::string judge =
      judge_text(config_.verifier.name, config_.reward.weights, config_.verifier.options);
  const std::vector<EvalRow> rows = evaluator_.run(
      sampler_, {.step = step, .judges = judges_of(evaluator_.sets(), judge)}, sync_->version());
  last_eval_ = summarise(rows, config_.eval.reflection_words);
  if (first_eval_.empty() && step == 0) first_eval_ = last_eval_;
  for (const EvalResult& result : last_eval_) add_eval_metrics(result, metrics);
  const EvalResult& shown = last_eval_.front();
  progress_.set_accuracy(shown.name, shown.main().accuracy);
  if (!eval_log_) return;
  for (const EvalRow& row : rows) eval_log_->add(to_json(row));
  eval_log_->flush();
}

void Trainer::finish(int64_t step) {
  if (!is_root()) return;
  log::finish_progress();
  if (first_eval_.empty())
    first_eval_ = read_eval_results(dir_.file("metrics.jsonl"), 0, last_eval_);
  if (!last_eval_.empty()) {
    log::info(concat("\n", progress_table(first_eval_, last_eval_)));
    const LastAndBest told = last_and_best(
        step_accuracies(read_metrics(dir_.file("metrics.jsonl")), test_accuracies(evaluator_)), {});
    if (!told.text.empty()) log::info(told.text);
    if (!told.warning.empty()) log::warning(told.warning);
  }
  const std::string saturation =
      saturation_text(read_metrics(dir_.file("metrics.jsonl")), config_.trainer.saturation_accuracy,
                      entropy_watch_.accuracy());
  if (!saturation.empty()) log::info(saturation);
  write_report({dir_.path}, dir_.file("report.html"), config_.trainer.saturation_accuracy);
  log::info(concat("Report:     ", dir_.file("report.html"), "\nCheckpoint: ", dir_.checkpoints(),
                   "/global_step_", step, "/actor/huggingface"));
}

}  // namespace covrl
