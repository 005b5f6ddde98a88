#include "rl/run_policies.h"

#include <filesystem>

#include "core/error.h"
#include "core/log.h"
#include "rl/checkpoint.h"
#include "rl/run_dir.h"

namespace covrl {

RunPolicies read_run_policies(const std::string& run_dir) {
  const RunDir dir{run_dir};
  const std::string config = dir.file("config.resolved.yaml");
  if (!std::filesystem::exists(config))
    throw_usage(run_dir, ": no run is there (", config, " is missing); give a run folder");
  RunPolicies run;
  config::load({{config}, {}}, [&](config::Visitor& v) { run.config.describe(v); });
  const std::vector<Checkpoint> checkpoints = complete_checkpoints(dir.checkpoints());
  if (checkpoints.empty()) throw_usage(run_dir, ": the run has no complete checkpoint to evaluate");
  if (std::filesystem::exists(run.config.model.path)) {
    run.steps.push_back(0);
    run.dirs.push_back(run.config.model.path);
  } else {
    log::warning(concat("step 0 is left out: ", run.config.model.path,
                        ", which the run started from, is not here"));
  }
  for (const Checkpoint& checkpoint : checkpoints) {
    run.steps.push_back(checkpoint.step);
    run.dirs.push_back(checkpoint.path + "/actor/huggingface");
  }
  return run;
}

Pretrained load_policy(const RunPolicies& run, size_t index, std::optional<DType> dtype,
                       const std::string& chat_template, at::Device device) {
  if (run.steps[index] == 0 && run.config.model.init == "random")
    return random_pretrained(run.dirs[index], static_cast<uint64_t>(run.config.trainer.seed),
                             chat_template, device);
  return load_pretrained(run.dirs[index], dtype, chat_template, device);
}

}  // namespace covrl
