// Supervised fine-tuning (and pretraining of small models): next-token loss on completions or on
// whole rows, with the same kernels, exact gradient sums, optimizer, run folder and checkpoints as
// `covrl train`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/comm.h"
#include "core/config.h"
#include "core/metrics.h"
#include "policy/pretrained.h"
#include "rl/checkpoint.h"
#include "rl/optimizer.h"
#include "rl/run_config.h"

namespace covrl {

struct SftModelSection {
  std::string path;
  std::string chat_template;
  std::string init = "checkpoint";  // "checkpoint", or "random": only config and tokenizer are read
  std::string kernels = "fast";
  std::string device = "auto";  // "auto", "cpu", "cuda"
  void describe(config::Visitor& v);
};

struct SftDataSection {
  std::vector<std::string> train_files;  // rows of {"prompt","completion"} or {"messages"}
  std::string loss_on = "completion";    // "completion", "all"
  bool use_chat_template = true;
  int64_t max_length = 1024;  // longer rows are dropped and counted
  bool shuffle = true;
  void describe(config::Visitor& v);
};

struct SftTrainerSection {
  int64_t total_steps = 1000;
  int64_t train_batch_size = 64;  // rows per step
  int64_t max_tokens = 16384;     // of a micro-batch: memory only
  int64_t seed = 1;
  std::string run_dir = "runs/sft";
  std::string resume = "auto";
  bool allow_changed_config = false;
  int64_t save_every = 0;
  int64_t keep_checkpoints = 2;
  std::string save_dtype = "checkpoint";
  int64_t num_threads = 0;
  int64_t log_every = 10;
  void describe(config::Visitor& v);
};

struct SftConfig {
  SftModelSection model;
  SftDataSection data;
  OptimizerConfig optim;
  SftTrainerSection trainer;
  void describe(config::Visitor& v);
};

// One row as tokens; targets before `loss_from` are not trained on.
struct SftRow {
  std::vector<int64_t> tokens;
  int64_t loss_from = 1;  // index of the first token that is a target
};

struct SftRows {
  std::vector<SftRow> rows;
  int64_t num_dropped = 0;  // longer than max_length
};
SftRows read_sft_rows(const SftDataSection& config, const Pretrained& pretrained);

// Runs to the end (or an interrupt, returning false); every rank takes part.
bool run_sft_training(SftConfig config, Communicator& comm, const std::vector<std::string>& argv);

}  // namespace covrl
