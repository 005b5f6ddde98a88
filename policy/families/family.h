// What one model family adds to the shared block: how its config.json is read and written. A family
// is one file here and one line in table.cc.
#pragma once

#include <string>

#include "core/jsonl.h"
#include "policy/model_config.h"

namespace covrl {

struct ModelFamily {
  const char* model_type;    // config.json "model_type"
  const char* architecture;  // config.json "architectures"[0]
  // What the family reads beyond the shared keys, defaults included. `where` is the path of
  // config.json.
  void (*read)(const Json& root, const std::string& where, ModelConfig& config);
  void (*write)(const ModelConfig& config, Json& root);
};

extern const ModelFamily kQwen2Family;
extern const ModelFamily kLlamaFamily;

// The family that config.json names, by architecture and model_type, which must agree;
// Error(kUsage) lists the families.
const ModelFamily& find_family(const Json& root, const std::string& where);
const ModelFamily& find_family(const std::string& model_type);

}  // namespace covrl
