#include "policy/pretrained.h"

#include <array>
#include <filesystem>

#include "core/error.h"
#include "policy/safetensors.h"
#include "policy/scalar_type.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxShardBytes = 5'000'000'000;

// What a checkpoint says about text, in the files that published ones have.
constexpr std::array<const char*, 7> kTextFiles = {"tokenizer.json",      "tokenizer_config.json",
                                                   "chat_template.jinja", "special_tokens_map.json",
                                                   "added_tokens.json",   "vocab.json",
                                                   "merges.txt"};

void require_folder(const std::string& dir) {
  if (!fs::is_directory(dir))
    throw_usage(
        dir, ": ", fs::exists(dir) ? "is not a folder" : "does not exist",
        "; give the folder of a checkpoint (config.json, tokenizer.json, model.safetensors)");
}

void copy_text_files(const std::string& from, const std::string& to) {
  for (const char* name : kTextFiles) {
    const fs::path source = fs::path(from) / name, target = fs::path(to) / name;
    if (!fs::exists(source) || (fs::exists(target) && fs::equivalent(source, target))) continue;
    fs::copy_file(source, target, fs::copy_options::overwrite_existing);
  }
}

}  // namespace

Pretrained load_pretrained_without_weights(const std::string& dir,
                                           const std::string& chat_template) {
  require_folder(dir);
  Pretrained result;
  result.dir = dir;
  result.config = read_model_config(dir);
  result.generation = read_generation_config(dir, result.config);
  result.tokenizer = std::make_shared<const Tokenizer>(Tokenizer::from_dir(dir));
  result.chat = load_chat_template(dir, chat_template);
  return result;
}

std::shared_ptr<Model> load_model(const std::string& dir, const ModelConfig& config,
                                  std::optional<DType> dtype, at::Device device) {
  auto model = std::make_shared<Model>(config, read_safetensors_dir(dir),
                                       dtype.value_or(DType::kFloat32), dir);
  model->move_to(device);
  return model;
}

Pretrained load_pretrained(const std::string& dir, std::optional<DType> dtype,
                           const std::string& chat_template, at::Device device) {
  Pretrained result = load_pretrained_without_weights(dir, chat_template);
  result.model = load_model(dir, result.config, dtype, device);
  return result;
}

Pretrained random_pretrained(const std::string& dir, uint64_t seed,
                             const std::string& chat_template, at::Device device) {
  Pretrained result = load_pretrained_without_weights(dir, chat_template);
  result.model = std::make_shared<Model>(Model::random(result.config, seed));
  result.model->move_to(device);
  return result;
}

void save_pretrained(const std::string& dir, const Pretrained& source, const Model& model,
                     DType dtype) {
  fs::create_directories(dir);
  std::vector<std::pair<std::string, at::Tensor>> stored;
  for (const auto& [name, tensor] : model.parameters())
    stored.emplace_back(name, tensor.detach().to(scalar_type(dtype)));
  write_safetensors_sharded(dir, stored, kMaxShardBytes);
  ModelConfig config = model.config();
  config.dtype = dtype;
  write_model_config(dir, config);
  write_generation_config(dir, source.generation);
  copy_text_files(source.dir, dir);
}

}  // namespace covrl
