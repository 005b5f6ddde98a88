#include "rl/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "policy/safetensors.h"

namespace covrl {
namespace fs = std::filesystem;

namespace {

constexpr const char* kPrefix = "global_step_";
constexpr const char* kManifest = "MANIFEST.json";

// (step, path) of every global_step_N folder, newest first.
std::vector<std::pair<int64_t, fs::path>> list_checkpoints(const std::string& dir) {
  std::vector<std::pair<int64_t, fs::path>> found;
  if (!fs::is_directory(dir)) return found;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir))
    if (const int64_t step = checkpoint_step(entry.path()); entry.is_directory() && step >= 0)
      found.emplace_back(step, entry.path());
  std::sort(found.rbegin(), found.rend());
  return found;
}

Json make_manifest(const fs::path& dir, const CheckpointContent& content) {
  const CheckpointState& state = content.state;
  std::map<std::string, fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(dir))
    if (entry.is_regular_file()) files[fs::relative(entry.path(), dir).string()] = entry.path();
  Json manifest;
  manifest["version"] = COVRL_VERSION;
  manifest["step"] = state.step;
  manifest["num_updates"] = content.optimizer->num_steps();
  if (content.critic.model != nullptr)
    manifest["num_critic_updates"] = content.critic.optimizer->num_steps();
  manifest["weight_version"] = state.weight_version;
  manifest["controllers"] = state.controllers;
  manifest["prompt_batches"] = state.prompt_batches;
  for (const auto& [name, path] : files)
    manifest["files"][name] = {{"bytes", fs::file_size(path)},
                               {"xxh3", hash_text(hash_file(path.string()))}};
  return manifest;
}

void save_critic(const fs::path& dir, const CriticContent& critic) {
  fs::create_directories(dir);
  write_safetensors((dir / "model.safetensors").string(), critic.model->parameters());
  write_safetensors((dir / "optimizer.safetensors").string(), critic.optimizer->state());
}

using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

void copy_weights(const Parameters& parameters, const std::map<std::string, at::Tensor>& weights,
                  const std::string& checkpoint_dir) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : parameters) {
    const auto found = weights.find(name);
    if (found == weights.end() || found->second.sizes() != tensor.sizes())
      throw_usage("trainer.resume: ", checkpoint_dir, " does not fit this model: tensor ", name,
                  " is missing or has another shape");
    at::Tensor(tensor).copy_(found->second);
  }
}

void load_optimizer(const fs::path& file, int64_t num_updates, Optimizer& optimizer) {
  Parameters state;
  for (auto& [name, tensor] : read_safetensors(file.string())) state.emplace_back(name, tensor);
  optimizer.load_state(state, num_updates);
}

// The reason why a checkpoint is not to be loaded; empty when it is complete. Hashes are compared
// when `thorough`.
std::string fault_of(const fs::path& dir, bool thorough) {
  const fs::path path = dir / kManifest;
  if (!fs::exists(path)) return concat(path.string(), " is missing");
  try {
    const Json manifest = read_json(path.string());
    for (const auto& [name, entry] : manifest.at("files").items()) {
      const fs::path file = dir / name;
      if (!fs::exists(file)) return concat(file.string(), " is missing");
      if (fs::file_size(file) != entry.at("bytes").get<uint64_t>())
        return concat(file.string(), " has ", fs::file_size(file), " bytes, not ",
                      entry.at("bytes").get<uint64_t>());
      if (thorough && hash_text(hash_file(file.string())) != entry.at("xxh3").get<std::string>())
        return concat(file.string(), " does not have the content it was saved with");
    }
  } catch (const nlohmann::json::exception& error) {
    return concat(path.string(), ": ", error.what());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Names what is missing in a warning.
bool is_complete(const fs::path& dir) {
  const std::string fault = fault_of(dir, /*thorough=*/false);
  if (!fault.empty()) log::warning(concat("checkpoint skipped, it is not complete: ", fault));
  return fault.empty();
}

void write_latest(const std::string& checkpoints_dir, int64_t step) {
  write_file_atomically((fs::path(checkpoints_dir) / "latest_checkpointed_iteration.txt").string(),
                        concat(step, "\n"));
}

void remove_older(const std::string& dir, int64_t keep) {
  const auto all = list_checkpoints(dir);
  for (size_t i = static_cast<size_t>(keep); i < all.size(); ++i) fs::remove_all(all[i].second);
}

}  // namespace

std::string save_checkpoint(const std::string& checkpoints_dir, const CheckpointContent& content,
                            int64_t keep) {
  const fs::path final_dir = fs::path(checkpoints_dir) / concat(kPrefix, content.state.step);
  const fs::path dir = final_dir.string() + ".tmp";
  try {
    fs::remove_all(dir);
    fs::create_directories(dir / "actor/huggingface");
    save_pretrained((dir / "actor/huggingface").string(), *content.source, *content.model,
                    content.export_dtype);
    if (content.export_dtype != content.model->dtype())
      write_safetensors((dir / "actor/master.safetensors").string(), content.model->parameters());
    write_safetensors((dir / "actor/optimizer.safetensors").string(), content.optimizer->state());
    write_file_atomically((dir / "config.resolved.yaml").string(), content.config_yaml);
    if (content.critic.model != nullptr) save_critic(dir / "critic", content.critic);
    const Json manifest = make_manifest(dir, content);
    write_file_atomically((dir / kManifest).string(), manifest.dump(1) + "\n");
    fs::remove_all(final_dir);
    fs::rename(dir, final_dir);
    write_latest(checkpoints_dir, content.state.step);
    if (keep > 0) remove_older(checkpoints_dir, keep);
  } catch (const fs::filesystem_error& error) {
    throw_runtime("checkpoint of step ", content.state.step,
                  " could not be written: ", error.what());
  }
  return final_dir.string();
}

std::vector<Checkpoint> complete_checkpoints(const std::string& checkpoints_dir) {
  std::vector<Checkpoint> checkpoints;
  for (const auto& [step, path] : list_checkpoints(checkpoints_dir))
    if (is_complete(path)) checkpoints.push_back({step, path.string()});
  std::reverse(checkpoints.begin(), checkpoints.end());
  return checkpoints;
}

int64_t checkpoint_step(const std::string& checkpoint_dir) {
  const std::string name = fs::path(checkpoint_dir).filename().string();
  const size_t prefix = std::string(kPrefix).size();
  if (name.compare(0, prefix, kPrefix) != 0) return -1;
  int64_t step = -1;
  const auto [end, error] = std::from_chars(name.data() + prefix, name.data() + name.size(), step);
  return error == std::errc() && end == name.data() + name.size() ? step : -1;
}

std::optional<std::string> latest_checkpoint(const std::string& checkpoints_dir,
                                             int64_t last_step) {
  for (const auto& [step, path] : list_checkpoints(checkpoints_dir))
    if (step <= last_step && is_complete(path)) return path.string();
  return std::nullopt;
}

void remove_checkpoints_after(const std::string& checkpoints_dir, int64_t step) {
  for (const auto& [later, path] : list_checkpoints(checkpoints_dir))
    if (later > step) fs::remove_all(path);
  write_latest(checkpoints_dir, step);
}

std::vector<std::string> set_aside_checkpoints_after(const std::string& checkpoints_dir,
                                                     int64_t step) {
  std::vector<std::string> names;
  for (const auto& [later, path] : list_checkpoints(checkpoints_dir)) {
    if (later <= step) break;
    names.push_back(path.string() + ".given_up");
    fs::remove_all(names.back());
    fs::rename(path, names.back());
  }
  if (!names.empty()) write_latest(checkpoints_dir, step);
  return names;
}

void check_resume(const std::string& resume) {
  if (resume != "auto" && resume != "never" && !fs::is_directory(resume))
    throw_usage("trainer.resume: '", resume,
                "' is no checkpoint folder; give auto, never or .../global_step_N");
}

CheckpointState load_checkpoint(const std::string& checkpoint_dir, Model& model,
                                Optimizer* optimizer) {
  const fs::path dir = checkpoint_dir;
  check_resume(checkpoint_dir);
  const std::string fault = fault_of(dir, /*thorough=*/true);
  if (!fault.empty()) throw_usage("trainer.resume: ", fault, "; resume from an earlier checkpoint");
  const Json manifest = read_json((dir / kManifest).string());
  const fs::path master = dir / "actor/master.safetensors";
  std::map<std::string, at::Tensor> weights =
      fs::exists(master) ? read_safetensors(master.string())
                         : read_safetensors_dir((dir / "actor/huggingface").string());
  copy_weights(model.parameters(), weights, checkpoint_dir);
  if (optimizer != nullptr)
    load_optimizer(dir / "actor/optimizer.safetensors", manifest.at("num_updates").get<int64_t>(),
                   *optimizer);
  CheckpointState state;
  state.step = manifest.at("step").get<int64_t>();
  state.weight_version = manifest.at("weight_version").get<int64_t>();
  if (manifest.contains("controllers"))
    state.controllers = manifest.at("controllers").get<std::map<std::string, double>>();
  state.prompt_batches = manifest.value("prompt_batches", state.step);
  return state;
}

void load_critic(const std::string& checkpoint_dir, ValueModel& model, Optimizer& optimizer) {
  const fs::path dir = checkpoint_dir;
  const Json manifest = read_json((dir / kManifest).string());
  if (!manifest.contains("num_critic_updates"))
    throw_usage("trainer.resume: ", checkpoint_dir,
                " has no critic; set algorithm.adv_estimator to what it was made with, or "
                "trainer.resume=never to start anew");
  copy_weights(model.parameters(), read_safetensors((dir / "critic/model.safetensors").string()),
               checkpoint_dir);
  load_optimizer(dir / "critic/optimizer.safetensors",
                 manifest.at("num_critic_updates").get<int64_t>(), optimizer);
}

std::string checkpoint_policy(const std::string& checkpoint_dir) {
  const Json manifest = read_json((fs::path(checkpoint_dir) / kManifest).string());
  std::string contents;
  for (const auto& [name, entry] : manifest.at("files").items())
    if (name.starts_with("actor/huggingface/"))
      contents += concat(name, " ", entry.at("xxh3").get<std::string>(), "\n");
  return hash_text(hash_bytes(contents.data(), contents.size()));
}

std::string checkpoint_config(const std::string& checkpoint_dir) {
  return read_file(checkpoint_dir + "/config.resolved.yaml");
}

}  // namespace covrl
