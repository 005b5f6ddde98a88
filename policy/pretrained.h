// A checkpoint folder as a whole: config, generation config, tokenizer, chat template and weights,
// in and out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "policy/chat_template.h"
#include "policy/model.h"
#include "policy/model_config.h"
#include "policy/tokenizer.h"

namespace covrl {

struct Pretrained {
  std::string dir;
  ModelConfig config;
  GenerationConfig generation;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const ChatTemplate> chat;  // null: none
  std::shared_ptr<Model> model;
};

// dtype: empty = float32 whatever is stored. device: where the weights go (device.h chooses). A
// folder that is missing, or lacks a file, is an Error(kUsage).
Pretrained load_pretrained(const std::string& dir, std::optional<DType> dtype = {},
                           const std::string& chat_template = "", at::Device device = at::kCPU);

// The same without reading the weights: `model` stays null.
Pretrained load_pretrained_without_weights(const std::string& dir,
                                           const std::string& chat_template = "");
// The same with new random weights (Model::random): config and tokenizer are all that is read.
Pretrained random_pretrained(const std::string& dir, uint64_t seed,
                             const std::string& chat_template = "", at::Device device = at::kCPU);
// The weights alone.
std::shared_ptr<Model> load_model(const std::string& dir, const ModelConfig& config,
                                  std::optional<DType> dtype = {}, at::Device device = at::kCPU);

// Writes model.safetensors (or shards), config.json, generation_config.json and copies tokenizer
// files and chat template of `source`. `dtype`: what the weights are stored as.
void save_pretrained(const std::string& dir, const Pretrained& source, const Model& model,
                     DType dtype);

}  // namespace covrl
