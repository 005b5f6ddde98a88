// 64-bit content hash (XXH3): checksums of weights and checkpoint files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace covrl {

uint64_t hash_bytes(const void* data, size_t size, uint64_t seed = 0);
uint64_t hash_file(const std::string& path);  // Error(kRuntime) when it cannot be read
std::string hash_text(uint64_t hash);         // 16 hexadecimal digits

}  // namespace covrl
