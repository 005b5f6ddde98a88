// Collectives on device memory over NCCL; in the build with LibTorch's CUDA part only (CMake target
// covrl_comm_nccl).
//
// Every call is collective: each rank makes it, from one thread, in the same order. Calls only put
// work on the stream; the buffers must stay as they are until wait(stream) has returned. Every wait
// has a deadline. Failures throw Error naming operation and rank; after one the communicator can
// only be destroyed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct CUstream_st;
struct ncclComm;

namespace covrl {

class Communicator;

using DeviceStream = CUstream_st*;  // cudaStream_t

class NcclCommunicator {
 public:
  // The ranks of `host`, this one with GPU number `device` of those it sees. The ranks introduce
  // themselves over `host` first: where one has no such GPU, or two have the same one (NCCL allows
  // one rank a GPU), all throw the same Error(kUsage).
  NcclCommunicator(Communicator& host, int device,
                   std::chrono::seconds deadline = std::chrono::minutes(10));
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  // Spans of device memory.
  void broadcast(std::span<std::byte> data, int root, DeviceStream stream);
  void all_reduce_sum(std::span<float> values, DeviceStream stream);
  void all_reduce_sum(std::span<double> values, DeviceStream stream);
  void all_reduce_sum(std::span<int64_t> values, DeviceStream stream);

  // Returns when the stream's work is done. A peer that fails, or the deadline, is an
  // Error(kRuntime).
  void wait(DeviceStream stream);

 private:
  struct Release {
    void operator()(ncclComm* comm) const;
  };

  void reduce(void* values, size_t count, int type, DeviceStream stream);
  void settle(int status, const char* operation);
  std::string who() const;

  int rank_ = 0;
  int size_ = 1;
  int device_ = 0;
  std::chrono::seconds deadline_;
  std::unique_ptr<ncclComm, Release> comm_;
};

// `devices[r]` identifies the GPU of rank r. Two ranks with the same one: Error(kUsage).
void require_one_rank_per_device(const std::vector<std::string>& devices);

}  // namespace covrl
