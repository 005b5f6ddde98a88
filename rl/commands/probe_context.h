// What the operations of `covrl probe` work on: a checkpoint folder, or a folder with a tokenizer
// alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/jsonl.h"
#include "policy/pretrained.h"

namespace covrl {

class ProbeContext {
 public:
  // Reads config, generation config, tokenizer (where there is one) and weights at once, so that
  // any fault in them is found.
  ProbeContext(std::string dir, std::string output_path, at::Device device);

  const Tokenizer& tokenizer() const;
  const Model& model(DType dtype);
  const Model& model_of(const Json& row);  // by the row's "dtype"
  // `name`: "" = the folder's own; else DIR/../chat_templates/NAME.jinja, else a family.
  const ChatTemplate& chat(const std::string& name);
  // A file for the tensors of request `id`, beside the output; Error(kUsage) when the output is
  // stdout.
  std::string tensor_file(const std::string& id) const;

 private:
  std::string dir_, output_path_;
  at::Device device_;
  std::optional<ModelConfig> config_;
  std::optional<Tokenizer> tokenizer_;
  std::map<DType, std::shared_ptr<Model>> models_;
  std::map<std::string, std::unique_ptr<ChatTemplate>> chats_;
};

// Answers one request; the caller adds "id".
using ProbeOperation = Json (*)(const Json& row, ProbeContext& context);

Json probe_score(const Json& row, ProbeContext& context);
Json probe_score_batch(const Json& row, ProbeContext& context);
Json probe_generate(const Json& row, ProbeContext& context);
Json probe_generate_batch(const Json& row, ProbeContext& context);
Json probe_sample_dist(const Json& row, ProbeContext& context);
Json probe_grad(const Json& row, ProbeContext& context);
Json probe_adamw(const Json& row, ProbeContext& context);
Json probe_encode(const Json& row, ProbeContext& context);
Json probe_decode(const Json& row, ProbeContext& context);
Json probe_chat(const Json& row, ProbeContext& context);

}  // namespace covrl
