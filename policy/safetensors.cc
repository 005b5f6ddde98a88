// Reading. Everything the header says is checked against the file before a tensor is allocated.
#include "policy/safetensors.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/config_reader.h"
#include "policy/safetensors_dtype.h"
#include "policy/safetensors_file.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own bound
constexpr uint64_t kMaxDimensions = 8;

struct Entry {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes of the data area
};

std::string tensor_place(const std::string& path, const std::string& name) {
  return concat(path, ": tensor \"", name, "\"");
}

uint64_t unsigned_value(const Json& value, const char* what, const std::string& where) {
  if (!value.is_number_unsigned())
    throw_usage(where, ": ", what, " must hold integers of 0 or more, got ", shown(value));
  return value.get<uint64_t>();
}

const Json& array_member(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array())
    throw_usage(where, ": \"", key, "\" must be a list, got ",
                found == object.end() ? "none" : shown(*found));
  return *found;
}

// Bytes that shape and dtype ask for, or an error when they cannot fit in the file anyway.
uint64_t byte_size(const Entry& entry, uint64_t largest, const std::string& where) {
  uint64_t bytes = c10::elementSize(entry.dtype);
  for (const int64_t size : entry.shape) {
    if (size == 0) return 0;
    if (bytes > largest / static_cast<uint64_t>(size))
      throw_usage(where, ": its shape asks for more than the ", largest,
                  " bytes of data in the file");
    bytes *= static_cast<uint64_t>(size);
  }
  return bytes;
}

Entry read_entry(const std::string& name, const Json& fields, uint64_t data_bytes,
                 const std::string& path) {
  const std::string where = tensor_place(path, name);
  Entry entry;
  entry.name = name;
  entry.dtype = safetensors_scalar_type(get_string(fields, "dtype", where), where);
  const Json& shape = array_member(fields, "shape", where);
  if (shape.size() > kMaxDimensions)
    throw_usage(where, ": ", shape.size(), " dimensions, allowed are 0 to ", kMaxDimensions);
  for (const Json& size : shape) {
    const uint64_t value = unsigned_value(size, "\"shape\"", where);
    if (value > static_cast<uint64_t>(INT64_MAX))
      throw_usage(where, ": a dimension of ", value, " elements is out of range");
    entry.shape.push_back(static_cast<int64_t>(value));
  }
  const Json& offsets = array_member(fields, "data_offsets", where);
  if (offsets.size() != 2)
    throw_usage(where, ": \"data_offsets\" must be [begin, end], got ", shown(offsets));
  entry.begin = unsigned_value(offsets[0], "\"data_offsets\"", where);
  entry.end = unsigned_value(offsets[1], "\"data_offsets\"", where);
  if (entry.begin > entry.end || entry.end > data_bytes)
    throw_usage(where, ": data_offsets [", entry.begin, ", ", entry.end, "] lie outside the ",
                data_bytes, " bytes of data in the file; it is truncated or damaged");
  const uint64_t wanted = byte_size(entry, data_bytes, where);
  if (wanted != entry.end - entry.begin)
    throw_usage(where, ": shape and dtype ask for ", wanted, " bytes, data_offsets give ",
                entry.end - entry.begin);
  return entry;
}

// The data area must be the tensors, back to back: no overlap, no hole, nothing behind the last.
void check_layout(std::vector<Entry>& entries, uint64_t data_bytes, const std::string& path) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t expected = 0;
  std::string previous = "the header";
  for (const Entry& entry : entries) {
    if (entry.begin != expected)
      throw_usage(tensor_place(path, entry.name), ": its data begins at ", entry.begin,
                  entry.begin < expected ? ", overlapping " : ", leaving a hole after ", previous,
                  ", which ends at ", expected);
    expected = entry.end;
    previous = "\"" + entry.name + "\"";
  }
  if (expected != data_bytes)
    throw_usage(path, ": ", data_bytes - expected, " bytes follow the last tensor, ", previous,
                "; the file is damaged");
}

std::string read_header(const SafetensorsFile& file) {
  const std::string& path = file.path();
  constexpr std::string_view kPointer = "version https://git-lfs";
  std::string start(std::min<uint64_t>(file.size(), kPointer.size()), '\0');
  file.read(0, start.data(), start.size());
  if (start == kPointer)
    throw_usage(path, ": is a Git LFS pointer, not the weights; fetch them with `git lfs pull`");
  if (file.size() < kLengthBytes)
    throw_usage(path, ": has ", file.size(),
                " bytes, a safetensors file begins with 8 bytes of header length; "
                "it is truncated or empty");
  uint64_t length = 0;
  file.read(0, &length, sizeof length);
  const uint64_t largest = std::min(kMaxHeaderBytes, file.size() - kLengthBytes);
  if (length < 2 || length > largest)
    throw_usage(path, ": header length is ", length, ", allowed are 2 to ", largest,
                "; this is no safetensors file, or a damaged one");
  std::string header(length, '\0');
  file.read(kLengthBytes, header.data(), header.size());
  return header;
}

std::vector<Entry> read_entries(const std::string& header, uint64_t data_bytes,
                                const std::string& path) {
  const Json root = parse_json(header, path + ": header");
  if (!root.is_object()) throw_usage(path, ": header must be an object, got ", shown(root));
  std::vector<Entry> entries;
  for (const auto& [name, fields] : root.items()) {
    if (name == "__metadata__") {
      if (!fields.is_object())
        throw_usage(path, ": \"__metadata__\" must be an object, got ", shown(fields));
      continue;
    }
    entries.push_back(read_entry(name, fields, data_bytes, path));
  }
  check_layout(entries, data_bytes, path);
  return entries;
}

void check_booleans(const at::Tensor& tensor, const std::string& where) {
  const auto* bytes = static_cast<const uint8_t*>(tensor.const_data_ptr());
  const bool valid =
      std::all_of(bytes, bytes + tensor.numel(), [](uint8_t value) { return value <= 1; });
  if (!valid) throw_usage(where, ": a BOOL element is neither 0 nor 1");
}

at::Tensor read_tensor(const SafetensorsFile& file, const Entry& entry, uint64_t data_begin) {
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.dtype));
  if (entry.end > entry.begin)
    file.read(data_begin + entry.begin, tensor.mutable_data_ptr(), entry.end - entry.begin);
  if (entry.dtype == at::kBool) check_booleans(tensor, tensor_place(file.path(), entry.name));
  return tensor;
}

// tensor -> shard, as the index lists them.
std::map<std::string, std::string> read_index(const std::string& path) {
  const Json root = read_json(path);
  const Json* listed = root.is_object() ? find_key(root, "weight_map") : nullptr;
  if (listed == nullptr || !listed->is_object() || listed->empty())
    throw_usage(path, ": \"weight_map\" must be an object {tensor: file}");
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, value] : listed->items()) {
    if (!value.is_string())
      throw_usage(path, ": tensor \"", tensor, "\": its file must be a string, got ", shown(value));
    const auto shard = value.get<std::string>();
    if (!shard.ends_with(".safetensors") ||
        shard.find_first_of(std::string("/\\\0", 3)) != std::string::npos)
      throw_usage(path, ": tensor \"", tensor, "\": file ", shown(value),
                  " must be the name of a .safetensors file in the same folder, without / or ../");
    shard_of.emplace(tensor, shard);
  }
  return shard_of;
}

std::map<std::string, at::Tensor> read_shards(const std::string& dir,
                                              const std::string& index_path) {
  const auto shard_of = read_index(index_path);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  for (const std::string& shard : shards) {
    if (!fs::exists(fs::path(dir) / shard))
      throw_usage(index_path, ": lists ", shard, ", which is not in ", dir,
                  "; the download is incomplete");
  }
  std::map<std::string, at::Tensor> tensors;
  for (const std::string& shard : shards) {
    const std::string path = dir + "/" + shard;
    for (auto& [name, tensor] : read_safetensors(path)) {
      const auto listed = shard_of.find(name);
      if (listed == shard_of.end() || listed->second != shard)
        throw_usage(tensor_place(path, name), " is ",
                    listed == shard_of.end() ? "not listed in " : "listed elsewhere in ",
                    index_path);
      tensors.emplace(name, std::move(tensor));
    }
  }
  for (const auto& [name, shard] : shard_of) {
    if (!tensors.contains(name))
      throw_usage(index_path, ": tensor \"", name, "\" is listed in ", shard, " but is not there");
  }
  return tensors;
}

}  // namespace

std::map<std::string, at::Tensor> read_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  const std::string header = read_header(file);
  const uint64_t data_begin = kLengthBytes + header.size();
  std::map<std::string, at::Tensor> tensors;
  for (const Entry& entry : read_entries(header, file.size() - data_begin, path))
    tensors.emplace(entry.name, read_tensor(file, entry, data_begin));
  return tensors;
}

std::map<std::string, at::Tensor> read_safetensors_dir(const std::string& dir) {
  const std::string single = dir + "/model.safetensors";
  const std::string index = dir + "/model.safetensors.index.json";
  if (fs::exists(single)) return read_safetensors(single);
  if (fs::exists(index)) return read_shards(dir, index);
  throw_usage(dir,
              ": holds no weights: neither model.safetensors nor model.safetensors.index.json is "
              "there; other formats ",
              "(pytorch_model.bin, GGUF) have to be converted to safetensors");
}

}  // namespace covrl
