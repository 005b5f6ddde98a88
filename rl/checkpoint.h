// Checkpoints: verl's tree, complete at every save.
//
//   checkpoints/latest_checkpointed_iteration.txt
//   checkpoints/global_step_N/
//     actor/huggingface/             the policy as a Hugging Face checkpoint: no merge step exists
//     actor/master.safetensors       float32 weights, when the export is narrower
//     actor/optimizer.safetensors
//     critic/model.safetensors       with a critic: float32, names of policy/value_model.h
//     critic/optimizer.safetensors
//     config.resolved.yaml
//     MANIFEST.json                  sizes and hashes, written last
//   checkpoints/global_step_N.given_up  set aside, never loaded (set_aside_checkpoints_after)
//
// A folder is built as global_step_N.tmp and renamed; one without a valid manifest is skipped with
// a message, never loaded. Nothing in it depends on the number of ranks. All randomness is
// counter-based, so the step is the whole random state.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/pretrained.h"
#include "policy/value_model.h"
#include "rl/optimizer.h"

namespace covrl {

struct CheckpointState {
  int64_t step = 0;  // rollout (or sft) steps done
  int64_t weight_version = 0;
  std::map<std::string, double> controllers =
      {};                      // what adaptive coefficients have reached, by name
  int64_t prompt_batches = 0;  // batches that training has taken from the prompt stream
};

struct CriticContent {
  const ValueModel* model = nullptr;  // null: the run has no critic
  const Optimizer* optimizer = nullptr;
};

struct CheckpointContent {
  CheckpointState state;
  std::string config_yaml;
  const Pretrained* source = nullptr;  // tokenizer files and config to copy
  const Model* model = nullptr;
  const Optimizer* optimizer = nullptr;
  CriticContent critic = {};
  DType export_dtype = DType::kFloat32;
};

// Returns the folder written. keep > 0: removes all but the latest `keep`.
std::string save_checkpoint(const std::string& checkpoints_dir, const CheckpointContent& content,
                            int64_t keep);

struct Checkpoint {
  int64_t step = 0;
  std::string path;  // .../global_step_N
};
// The complete checkpoints below `checkpoints_dir`, oldest first. Incomplete ones are named in a
// warning.
std::vector<Checkpoint> complete_checkpoints(const std::string& checkpoints_dir);

// The newest complete checkpoint below `checkpoints_dir` of a step up to `last_step`; none when
// there is none. Incomplete ones are named in a warning.
std::optional<std::string> latest_checkpoint(
    const std::string& checkpoints_dir, int64_t last_step = std::numeric_limits<int64_t>::max());

// Which policy the checkpoint holds: a hash of the names and contents, by its manifest, of
// actor/huggingface. Two checkpoints of one step that differ in the weights differ in it.
std::string checkpoint_policy(const std::string& checkpoint_dir);

// The step of a folder .../global_step_N; -1 for another name.
int64_t checkpoint_step(const std::string& checkpoint_dir);

// Gives up the checkpoints of steps after `step`, newest first, so that a run which is killed
// meanwhile goes on from one that is still there; `step` is then the latest.
void remove_checkpoints_after(const std::string& checkpoints_dir, int64_t step);

// The same without loss: they are renamed to global_step_N.given_up, in place of an earlier one of
// that name. Returns the new names.
std::vector<std::string> set_aside_checkpoints_after(const std::string& checkpoints_dir,
                                                     int64_t step);

// Error(kUsage) unless trainer.resume is auto, never or a folder.
void check_resume(const std::string& resume);

// Checks the manifest (Error(kUsage) naming the file that is missing or altered), then loads the
// weights and, unless null (a rank that only samples), the optimizer.
CheckpointState load_checkpoint(const std::string& checkpoint_dir, Model& model,
                                Optimizer* optimizer);

// The critic of a checkpoint that load_checkpoint has checked. Error(kUsage) when it has none, or
// one of another shape.
void load_critic(const std::string& checkpoint_dir, ValueModel& model, Optimizer& optimizer);

// The configuration a checkpoint was made with.
std::string checkpoint_config(const std::string& checkpoint_dir);

}  // namespace covrl
