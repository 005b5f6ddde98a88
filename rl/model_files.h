// The files of a checkpoint folder that are read of it.
#pragma once

#include <filesystem>
#include <string>

namespace covrl {

inline bool is_weights_file(const std::filesystem::path& path) {
  return path.extension() == ".safetensors";
}

// Configuration, tokenizer, chat template or weights.
inline bool is_model_file(const std::filesystem::path& path) {
  const std::string kind = path.extension().string();
  return kind == ".json" || kind == ".txt" || kind == ".jinja" || is_weights_file(path);
}

}  // namespace covrl
