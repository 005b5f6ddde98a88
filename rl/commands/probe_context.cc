#include "rl/commands/probe_context.h"

#include <cctype>
#include <filesystem>

#include "core/error.h"

namespace covrl {

namespace fs = std::filesystem;

ProbeContext::ProbeContext(std::string dir, std::string output_path, at::Device device)
    : dir_(std::move(dir)), output_path_(std::move(output_path)), device_(device) {
  const bool has_config = fs::exists(fs::path(dir_) / "config.json");
  const bool has_tokenizer = fs::exists(fs::path(dir_) / "tokenizer.json");
  if (!has_config && !has_tokenizer)
    throw_usage("--model: ", dir_, " holds neither config.json nor tokenizer.json");
  if (has_config) {
    config_ = read_model_config(dir_);
    read_generation_config(dir_, *config_);
  }
  if (has_tokenizer) tokenizer_.emplace(Tokenizer::from_dir(dir_));
  if (has_config) model(DType::kFloat32);
}

const Tokenizer& ProbeContext::tokenizer() const {
  if (!tokenizer_.has_value()) throw_usage(dir_, ": has no tokenizer.json");
  return *tokenizer_;
}

const Model& ProbeContext::model(DType dtype) {
  if (!config_.has_value())
    throw_usage(dir_, ": has no config.json; only encode, decode and chat work here");
  std::shared_ptr<Model>& model = models_[dtype];
  if (model == nullptr) model = load_model(dir_, *config_, dtype, device_);
  return *model;
}

const Model& ProbeContext::model_of(const Json& row) {
  return model(row.contains("dtype") ? parse_dtype(get_string(row, "dtype", "row"), "\"dtype\"")
                                     : DType::kFloat32);
}

const ChatTemplate& ProbeContext::chat(const std::string& name) {
  std::unique_ptr<ChatTemplate>& chat = chats_[name];
  if (chat == nullptr) {
    const std::string file = (fs::path(dir_) / "../chat_templates" / (name + ".jinja")).string();
    const bool beside = !name.empty() && name.find('/') == std::string::npos && fs::exists(file);
    chat = load_chat_template(dir_, beside ? file : name);
  }
  if (chat == nullptr) throw_usage(dir_, ": has no chat template");
  return *chat;
}

std::string ProbeContext::tensor_file(const std::string& id) const {
  if (output_path_.empty())
    throw_usage("grad and adamw write their tensors beside the output; give --output FILE");
  std::string name;
  for (const char c : id) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
  return output_path_ + "." + name + ".safetensors";
}

}  // namespace covrl
