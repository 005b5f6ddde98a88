// The policies that a run left: what it started from, as step 0, and its complete checkpoints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/comm.h"
#include "policy/pretrained.h"
#include "rl/run_config.h"

namespace covrl {

struct RunPolicies {
  RunConfig config;               // of the run
  std::vector<int64_t> steps;     // in order
  std::vector<std::string> dirs;  // Hugging Face folder of each
  // Which policy each is, not where it lies: of a checkpoint by its manifest (rl/checkpoint.h), of
  // step 0 by the contents of model.path (config, tokenizer, weights; a random one by its seed).
  std::vector<std::string> identities;
};

// Collective: the root looks and tells the others, as the run may save meanwhile. Error(kUsage)
// when the folder holds no run or no complete checkpoint. A start that is not here any more
// (model.path) is left out with a warning.
RunPolicies read_run_policies(const std::string& run_dir, Communicator& world);

// The policy at `index`, in the arithmetic `dtype`.
Pretrained load_policy(const RunPolicies& run, size_t index, std::optional<DType> dtype,
                       const std::string& chat_template, at::Device device);

}  // namespace covrl
