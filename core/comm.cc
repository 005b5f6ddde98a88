#include "core/comm.h"

namespace covrl {

std::string Communicator::broadcast_string(std::string value, int root) {
  auto size = static_cast<uint64_t>(value.size());
  broadcast(std::as_writable_bytes(std::span(&size, 1)), root);
  value.resize(size);
  broadcast(std::as_writable_bytes(std::span(value)), root);
  return value;
}

}  // namespace covrl
