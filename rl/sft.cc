#include "rl/sft.h"

#include <cmath>
#include <filesystem>

#include "core/interrupt.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "core/rng.h"
#include "policy/device.h"
#include "rl/gradient_sum.h"
#include "rl/progress.h"
#include "rl/resume_diff.h"
#include "rl/run_dir.h"

namespace covrl {

namespace {

// Rows of one forward and backward, packed.
struct SftMicroBatch {
  PackedTokens packed;
  at::Tensor predicting;  // positions whose next token is a target
  at::Tensor targets;
};

SftMicroBatch pack_rows(const std::vector<const SftRow*>& rows) {
  std::vector<std::vector<int64_t>> sequences;
  std::vector<int64_t> predicting, targets;
  int64_t offset = 0;
  for (const SftRow* row : rows) {
    sequences.push_back(row->tokens);
    for (auto i = row->loss_from; i < static_cast<int64_t>(row->tokens.size()); ++i) {
      predicting.push_back(offset + i - 1);
      targets.push_back(row->tokens[static_cast<size_t>(i)]);
    }
    offset += static_cast<int64_t>(row->tokens.size());
  }
  return {pack_tokens(sequences), at::tensor(predicting, at::kLong),
          at::tensor(targets, at::kLong)};
}

class SftRun {
 public:
  SftRun(SftConfig config, Pretrained pretrained, SftRows rows, Communicator& comm)
      : config_(std::move(config)),
        pretrained_(std::move(pretrained)),
        rows_(std::move(rows.rows)),
        comm_(comm),
        gradient_(pretrained_.model->parameters()),
        optimizer_(config_.optim, pretrained_.model->parameters()) {
    pretrained_.model->set_requires_grad(true);
  }

  bool run(const std::vector<std::string>& argv);

 private:
  std::string config_yaml(config::Comments comments) {
    return config::dump([&](config::Visitor& v) { config_.describe(v); }, comments);
  }
  void open(const std::vector<std::string>& argv);
  Metrics step(int64_t step);
  std::vector<std::vector<const SftRow*>> micro_batches(int64_t step) const;
  void save(int64_t step);

  SftConfig config_;
  Pretrained pretrained_;
  std::vector<SftRow> rows_;
  Communicator& comm_;
  GradientSum gradient_;
  Optimizer optimizer_;
  RunDir dir_;
  CheckpointState state_;
  std::unique_ptr<MetricsSink> sink_;
};

void SftRun::open(const std::vector<std::string>& argv) {
  const SftTrainerSection& trainer = config_.trainer;
  check_resume(trainer.resume);
  dir_ = RunDir{trainer.run_dir};
  if (comm_.is_root()) {
    if (trainer.resume == "never") start_anew(trainer.run_dir);
    dir_ = open_run_dir(trainer.run_dir);
  }
  comm_.barrier();
  std::optional<std::string> checkpoint;
  if (trainer.resume == "auto") checkpoint = latest_checkpoint(dir_.checkpoints());
  if (trainer.resume != "auto" && trainer.resume != "never") checkpoint = trainer.resume;
  if (!checkpoint && trainer.resume == "auto" &&
      std::filesystem::exists(dir_.file("metrics.jsonl")))
    throw_usage("trainer.run_dir: ", dir_.path,
                " holds a run that has no complete checkpoint to resume from; set "
                "trainer.resume=never to move it aside, or choose another run_dir");
  if (checkpoint) {
    check_resume_config(checkpoint_config(*checkpoint), config_yaml(config::Comments::kNone),
                        *checkpoint, trainer.allow_changed_config);
    state_ = load_checkpoint(*checkpoint, *pretrained_.model, &optimizer_);
    if (state_.step >= trainer.total_steps)
      throw_usage("trainer.total_steps: the run in ", dir_.path, " is complete (step ", state_.step,
                  " of ", trainer.total_steps,
                  "); raise trainer.total_steps, or set trainer.resume=never to start anew");
  }
  comm_.barrier();  // every rank has looked at the folder before the root writes to it
  if (!comm_.is_root()) return;
  write_file_atomically(dir_.file("config.resolved.yaml"), config_yaml(config::Comments::kHelp));
  write_launch_record(dir_, argv, comm_.size(), state_.step + 1);
  sink_ = make_jsonl_sink(dir_.file("metrics.jsonl"), state_.step);
}

// The rows of an update, cut by the token budget in their order: the same on every rank and for
// every rank count.
std::vector<std::vector<const SftRow*>> SftRun::micro_batches(int64_t step) const {
  const auto size = static_cast<int64_t>(rows_.size());
  std::vector<std::vector<const SftRow*>> result;
  std::vector<int64_t> order;
  int64_t order_epoch = -1, tokens = 0;
  for (int64_t place = (step - 1) * config_.trainer.train_batch_size;
       place < step * config_.trainer.train_batch_size; ++place) {
    int64_t index = place % size;
    if (config_.data.shuffle) {
      if (place / size != order_epoch) {
        order_epoch = place / size;
        Sequence sequence(static_cast<uint64_t>(config_.trainer.seed), Stream::kShuffle,
                          static_cast<uint64_t>(order_epoch));
        order = permutation(size, sequence);
      }
      index = order[static_cast<size_t>(index)];
    }
    const SftRow* row = &rows_[static_cast<size_t>(index)];
    const auto length = static_cast<int64_t>(row->tokens.size());
    if (result.empty() || tokens + length > config_.trainer.max_tokens) {
      result.emplace_back();
      tokens = 0;
    }
    result.back().push_back(row);
    tokens += length;
  }
  return result;
}

Metrics SftRun::step(int64_t step) {
  Stopwatch watch;
  const auto micro = micro_batches(step);
  int64_t num_targets = 0, num_tokens = 0;
  for (const auto& rows : micro) {
    for (const SftRow* row : rows) {
      num_targets += static_cast<int64_t>(row->tokens.size()) - row->loss_from;
      num_tokens += static_cast<int64_t>(row->tokens.size());
    }
  }
  std::vector<double> losses(micro.size(), 0.0);
  for (size_t i = static_cast<size_t>(comm_.rank()); i < micro.size();
       i += static_cast<size_t>(comm_.size())) {
    const SftMicroBatch batch = pack_rows(micro[i]);
    const PackedScores scores = score_rows(*pretrained_.model, batch.packed, batch.predicting,
                                           batch.targets, /*temperature=*/1.0);
    const at::Tensor loss =
        scores.logprob_T.cpu().sum() * (-1.0 / static_cast<double>(num_targets));
    loss.backward();
    losses[i] = loss.item<double>();
    gradient_.add_and_clear_grads();
  }
  comm_.all_reduce_sum(std::span(losses));
  double loss = 0;
  for (const double part : losses) loss += part;
  gradient_.all_reduce(comm_);
  const double norm = gradient_.norm();
  if (!std::isfinite(loss) || !std::isfinite(norm))
    throw_runtime("step ", step, ": loss ", loss, " or gradient norm ", norm,
                  " is not finite; nothing was stepped");
  const double lr = optimizer_.step(gradient_.flat(), norm, config_.trainer.total_steps);
  gradient_.clear();
  Metrics metrics;
  metrics.set("train/loss", loss);
  metrics.set("train/grad_norm", norm);
  metrics.set("train/lr", lr);
  metrics.set("train/num_tokens", static_cast<double>(num_tokens));
  metrics.set("perf/throughput", static_cast<double>(num_tokens) / watch.seconds());
  return metrics;
}

void SftRun::save(int64_t step) {
  state_ = {step, step, {}};
  if (comm_.is_root()) {
    CheckpointContent content;
    content.state = state_;
    content.config_yaml = config_yaml(config::Comments::kNone);
    content.source = &pretrained_;
    content.model = pretrained_.model.get();
    content.optimizer = &optimizer_;
    content.export_dtype = config_.trainer.save_dtype == "checkpoint"
                               ? pretrained_.config.dtype
                               : parse_dtype(config_.trainer.save_dtype, "trainer.save_dtype");
    save_checkpoint(dir_.checkpoints(), content, config_.trainer.keep_checkpoints);
  }
  comm_.barrier();
}

bool SftRun::run(const std::vector<std::string>& argv) {
  open(argv);
  const int64_t total = config_.trainer.total_steps, first = state_.step + 1;
  Stopwatch since_start;
  for (int64_t step = first; step <= total; ++step) {
    const Metrics metrics = this->step(step);
    const bool last = step == total, stopping = !last && interrupt_requested(comm_);
    if (sink_ && (last || stopping || step % config_.trainer.log_every == 0)) {
      sink_->write(step, metrics);
      const double left = since_start.seconds() / static_cast<double>(step - first + 1) *
                          static_cast<double>(total - step);
      char line[160];
      std::snprintf(
          line, sizeof line, "step %lld/%lld  loss %.4f  lr %.2e  %6.0f tokens/s  %s left",
          static_cast<long long>(step), static_cast<long long>(total), metrics.at("train/loss"),
          metrics.at("train/lr"), metrics.at("perf/throughput"), format_duration(left).c_str());
      log::progress(line);
    }
    const bool due = config_.trainer.save_every > 0 && step % config_.trainer.save_every == 0;
    if (last || stopping || due) save(step);
    if (stopping) {
      log::finish_progress();
      log::info(interrupted_text(step, config_.trainer.resume));
      return false;
    }
  }
  log::finish_progress();
  log::info(
      concat("Checkpoint: ", dir_.checkpoints(), "/global_step_", total, "/actor/huggingface"));
  return true;
}

Pretrained load_start(const SftConfig& config) {
  const at::Device device = choose_device(config.model.device, "model.device");
  if (config.model.init == "checkpoint")
    return load_pretrained(config.model.path, {}, config.model.chat_template, device);
  return random_pretrained(config.model.path, static_cast<uint64_t>(config.trainer.seed),
                           config.model.chat_template, device);
}

}  // namespace

bool run_sft_training(SftConfig config, Communicator& comm, const std::vector<std::string>& argv) {
  const RunDir dir{config.trainer.run_dir};
  check_is_input(dir, "model.path", config.model.path);
  for (const std::string& file : config.data.train_files)
    check_is_input(dir, "data.train_files", file);
  Pretrained pretrained = load_start(config);
  SftRows rows = read_sft_rows(config.data, pretrained);
  if (comm.is_root())
    log::info(concat(rows.rows.size(), " rows, ", rows.num_dropped, " dropped (longer than ",
                     config.data.max_length, " tokens); ", pretrained.model->num_parameters(),
                     " parameters"));
  SftRun run(std::move(config), std::move(pretrained), std::move(rows), comm);
  return run.run(argv);
}

}  // namespace covrl
