#include "rl/sft.h"

namespace covrl {

void SftModelSection::describe(config::Visitor& v) {
  v.field("path", path,
          "Checkpoint folder in Hugging Face layout; with init: random, a folder with config and "
          "tokenizer.");
  v.field("chat_template", chat_template,
          "Family name or .jinja file; empty: the checkpoint's own.");
  v.word("init", init, "Start from the checkpoint's weights, or from random ones.",
         {"checkpoint", "random"});
  v.word("kernels", kernels, "fast, or reference: every op by the plain oracle.",
         {"fast", "reference"});
  v.word("device", device, "Where the model lives; auto: a GPU where there is one, else the CPU.",
         {"auto", "cpu", "cuda"});
  v.check(!path.empty(), "path", "is required: the folder to start from");
}

void SftDataSection::describe(config::Visitor& v) {
  v.field("train_files", train_files,
          "Rows of {prompt, completion} or {messages}; jsonl or parquet.");
  v.word("loss_on", loss_on, "Tokens that are trained on.", {"completion", "all"});
  v.field("use_chat_template", use_chat_template, "Render prompts through the chat template.");
  v.field("max_length", max_length, "Longer rows (tokens) are dropped and counted.", {2, 1e7});
  v.field("shuffle", shuffle, "Shuffle rows, anew in each epoch.");
  v.check(!train_files.empty(), "train_files", "is required: one or more files of rows");
}

void SftTrainerSection::describe(config::Visitor& v) {
  v.field("total_steps", total_steps, "Optimizer updates.", {0, 1e9});
  v.field("train_batch_size", train_batch_size, "Rows per update.", {1, 1e7});
  v.field("max_tokens", max_tokens, "Token budget of a micro-batch: memory only.", {1, 1e9});
  v.field("seed", seed, "Seed of data order and random weights.", {0, 9007199254740992.0});
  v.field("run_dir", run_dir, "Folder of the run.");
  v.field("resume", resume, "auto, never, or a checkpoint folder.");
  v.field("allow_changed_config", allow_changed_config,
          "Resume although keys that alter the maths have changed.");
  v.field("save_every", save_every, "Steps between checkpoints; 0: at the end only.", {0, 1e9});
  v.field("keep_checkpoints", keep_checkpoints, "Latest checkpoints to keep; 0: all.", {0, 1e9});
  v.word("save_dtype", save_dtype, "Type of the exported weights.",
         {"checkpoint", "float32", "bfloat16"});
  v.field("num_threads", num_threads,
          "Threads per process; 0: the cores divided among the processes.", {0, 1024});
  v.field("log_every", log_every, "Steps between lines of metrics.", {1, 1e9});
  v.check(!run_dir.empty(), "run_dir", "must not be empty");
}

void SftConfig::describe(config::Visitor& v) {
  v.section("model", model, "The model to train.");
  v.section("data", data, "Rows.");
  v.section("optim", optim, "AdamW and its schedule.");
  v.section("trainer", trainer, "The run.");
}

}  // namespace covrl
