// Writing: header and tensors are streamed to a file beside the target, which is synced and
// renamed.
#include <ATen/Functions.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/safetensors.h"
#include "policy/safetensors_dtype.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;
using NamedTensor = std::pair<std::string, at::Tensor>;
using NamedTensors = std::vector<NamedTensor>;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

[[noreturn]] void fail(const std::string& path, const char* operation) {
  throw_runtime(path, ": cannot be written: ", operation, ": ", std::strerror(errno));
}

int64_t byte_size(const at::Tensor& tensor) {
  return tensor.numel() * static_cast<int64_t>(tensor.element_size());
}

std::string header_of(const NamedTensors& tensors,
                      const std::map<std::string, std::string>& metadata) {
  Json header;
  header["__metadata__"]["format"] = "pt";
  for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  int64_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    COVRL_CHECK(!header.contains(name), "two tensors named ", name);
    const int64_t end = begin + byte_size(tensor);
    header[name] = {{"dtype", safetensors_dtype_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  constexpr size_t kAlignment = 8;  // the data area begins at a multiple of it
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

void write_bytes(std::FILE* file, const void* data, size_t count, const std::string& path) {
  if (count > 0 && std::fwrite(data, 1, count, file) != count) fail(path, "write");
}

void write_content(const std::string& temporary, const std::string& path,
                   const NamedTensors& tensors, const std::string& header) {
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(temporary.c_str(), "wbe"));
  if (file == nullptr) fail(path, "open");
  const uint64_t length = header.size();
  write_bytes(file.get(), &length, sizeof length, path);
  write_bytes(file.get(), header.data(), header.size(), path);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
    write_bytes(file.get(), plain.const_data_ptr(), static_cast<size_t>(byte_size(plain)), path);
  }
  if (std::fflush(file.get()) != 0) fail(path, "flush");
  if (::fsync(::fileno(file.get())) != 0) fail(path, "fsync");
  if (std::fclose(file.release()) != 0) fail(path, "close");
}

std::string shard_name(size_t index, size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", index + 1, count);
  return name;
}

std::vector<NamedTensors> split(const NamedTensors& tensors, int64_t max_shard_bytes) {
  std::vector<NamedTensors> shards(1);
  int64_t bytes = 0;
  for (const NamedTensor& tensor : tensors) {
    const int64_t more = byte_size(tensor.second);
    if (!shards.back().empty() && bytes + more > max_shard_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(tensor);
    bytes += more;
  }
  return shards;
}

}  // namespace

void write_safetensors(const std::string& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string temporary = concat(path, ".tmp.", ::getpid());
  const std::string header = header_of(tensors, metadata);
  try {
    write_content(temporary, path, tensors, header);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "rename");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void write_safetensors_sharded(const std::string& dir, const NamedTensors& tensors,
                               int64_t max_shard_bytes) {
  COVRL_CHECK(max_shard_bytes > 0, max_shard_bytes);
  const std::string single = dir + "/model.safetensors";
  const std::string index = dir + "/model.safetensors.index.json";
  const std::vector<NamedTensors> shards = split(tensors, max_shard_bytes);
  if (shards.size() == 1) {
    write_safetensors(single, tensors);
    fs::remove(index);
    return;
  }
  Json weight_map = Json::object();
  int64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(i, shards.size());
    write_safetensors(dir + "/" + name, shards[i]);
    for (const auto& [tensor_name, tensor] : shards[i]) {
      weight_map[tensor_name] = name;
      total += byte_size(tensor);
    }
  }
  const Json root = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  write_file_atomically(index, root.dump(2) + "\n");
  fs::remove(single);
}

}  // namespace covrl
