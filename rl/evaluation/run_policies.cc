#include "rl/evaluation/run_policies.h"

#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/checkpoint.h"
#include "rl/model_files.h"
#include "rl/run_dir.h"

namespace covrl {
namespace fs = std::filesystem;

namespace {

// Which policy a run starts from.
std::string start_identity(const ModelSection& model, int64_t seed) {
  const bool is_random = model.init == "random";
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(model.path)) {
    const bool is_read =
        is_model_file(entry.path()) && !(is_random && is_weights_file(entry.path()));
    if (is_read && entry.is_regular_file())
      files[entry.path().filename().string()] = hash_text(hash_file(entry.path().string()));
  }
  std::string contents = is_random ? concat("random ", seed, "\n") : "";
  for (const auto& [name, hash] : files) contents += concat(name, " ", hash, "\n");
  return hash_text(hash_bytes(contents.data(), contents.size()));
}

void find_policies(const RunDir& dir, RunPolicies& run) {
  const std::vector<Checkpoint> checkpoints = complete_checkpoints(dir.checkpoints());
  if (checkpoints.empty())
    throw_usage(dir.path, ": the run has no complete checkpoint to evaluate");
  const auto add = [&](int64_t step, const std::string& folder, const std::string& identity) {
    run.steps.push_back(step);
    run.dirs.push_back(folder);
    run.identities.push_back(identity);
  };
  const ModelSection& model = run.config.model;
  if (fs::exists(model.path)) {
    add(0, model.path, start_identity(model, run.config.trainer.seed));
  } else {
    log::warning(
        concat("step 0 is left out: ", model.path, ", which the run started from, is not here"));
  }
  for (const Checkpoint& checkpoint : checkpoints)
    add(checkpoint.step, checkpoint.path + "/actor/huggingface",
        checkpoint_policy(checkpoint.path));
}

}  // namespace

RunPolicies read_run_policies(const std::string& run_dir, Communicator& world) {
  const RunDir dir{run_dir};
  const std::string config = dir.file("config.resolved.yaml");
  if (!fs::exists(config))
    throw_usage(run_dir, ": no run is there (", config, " is missing); give a run folder");
  RunPolicies run;
  config::load({{config}, {}}, [&](config::Visitor& v) { run.config.describe(v); });
  if (world.is_root()) find_policies(dir, run);
  const Json found = Json::array({run.steps, run.dirs, run.identities});
  const Json told = Json::parse(world.broadcast_string(found.dump()));
  told.at(0).get_to(run.steps);
  told.at(1).get_to(run.dirs);
  told.at(2).get_to(run.identities);
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
