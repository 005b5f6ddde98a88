#include "rl/weight_sync.h"

#include <ATen/record_function.h>

#include <cstring>

#include "core/error.h"
#include "core/hash.h"

namespace covrl {

namespace {

std::span<std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

uint64_t weights_checksum(const Model& model) {
  uint64_t hash = 0;
  for (const auto& [name, tensor] : model.parameters()) {
    const at::Tensor host = tensor.detach().cpu().contiguous();
    hash = hash_bytes(host.data_ptr(), host.nbytes(), hash);
  }
  return hash;
}

void WeightSync::publish() {
  RECORD_USER_SCOPE("publish");
  if (cluster_.is_split()) {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : model_.parameters()) {
      at::Tensor host = tensor.detach().cpu().contiguous();
      cluster_.world().broadcast(bytes_of(host), /*root=*/0);
      if (!cluster_.learns()) at::Tensor(tensor.detach()).copy_(host);
    }
  }
  ++version_;
  compare_checksums();
}

void WeightSync::compare_checksums() const {
  const uint64_t mine = weights_checksum(model_);
  const auto all = cluster_.world().all_gather(std::as_bytes(std::span(&mine, 1)));
  uint64_t first = 0;
  std::memcpy(&first, all[0].data(), sizeof first);
  std::string differing;
  for (size_t rank = 1; rank < all.size(); ++rank)
    if (std::memcmp(all[rank].data(), &first, sizeof first) != 0) differing += concat(" ", rank);
  if (!differing.empty())
    throw_runtime("weights version ", version_, ": checksum of rank(s)", differing,
                  " differs from rank 0's ", hash_text(first),
                  "; nothing was sampled with them. Resume from the last checkpoint.");
}

void WeightSync::report(Metrics& metrics) const {
  metrics.set("sync/weights_version", static_cast<double>(version_));
  metrics.set("sync/checksum_ok", 1);  // publish() throws otherwise
}

}  // namespace covrl
