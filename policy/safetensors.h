// The safetensors format: 8 bytes of header length, a JSON header {name: {dtype, shape,
// data_offsets}}, then the data.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace covrl {

// All tensors of `dir`: model.safetensors, or the shards that model.safetensors.index.json lists
// (inside `dir` only). Header length, JSON, dtype, shape against offsets, overlap, holes and file
// size are checked before anything is read; a fault throws Error(kUsage) naming file and tensor.
// Tensors keep their stored dtype (F32, BF16, F16, F64, I64, ...).
std::map<std::string, at::Tensor> read_safetensors_dir(const std::string& dir);
std::map<std::string, at::Tensor> read_safetensors(const std::string& path);

// One file, names in the given order, with {"format":"pt"} as metadata; written beside and renamed.
void write_safetensors(const std::string& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

// Several files of at most `max_shard_bytes` and model.safetensors.index.json; a single
// model.safetensors when all fit.
void write_safetensors_sharded(const std::string& dir,
                               const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                               int64_t max_shard_bytes);

}  // namespace covrl
