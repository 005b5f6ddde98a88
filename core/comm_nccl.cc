#include "core/comm_nccl.h"

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <thread>

#include "core/comm.h"
#include "core/error.h"
#include "core/log.h"

namespace covrl {
namespace {

constexpr std::chrono::microseconds kPollInterval{50};

// What each rank tells the others before NCCL starts, so that all agree whether it can.
struct Introduction {
  char problem[256] = "";  // empty: none
  char device[33] = "";    // the GPU's UUID in hexadecimal, unique across machines
  ncclUniqueId id{};       // rank 0's is used
};

template <class... Args>
void set_problem(Introduction& self, const Args&... args) {
  std::snprintf(self.problem, sizeof self.problem, "%s", concat(args...).c_str());
}

bool is_ok(cudaError_t status, const char* operation, Introduction& self) {
  if (status == cudaSuccess) return true;
  set_problem(self, operation, ": ", cudaGetErrorString(status));
  return false;
}

Introduction introduce(int rank, int device) {
  Introduction self;
  int num_devices = 0;
  if (!is_ok(cudaGetDeviceCount(&num_devices), "no usable GPU: cudaGetDeviceCount", self))
    return self;
  if (device < 0 || device >= num_devices) {
    set_problem(self, "no GPU number ", device, "; ", num_devices, " visible");
    return self;
  }
  cudaDeviceProp properties;
  if (!is_ok(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties", self))
    return self;
  for (size_t i = 0; i < sizeof properties.uuid.bytes; ++i)
    std::snprintf(self.device + 2 * i, 3, "%02x",
                  static_cast<unsigned char>(properties.uuid.bytes[i]));
  if (!is_ok(cudaSetDevice(device), "cudaSetDevice", self) || rank != 0) return self;
  const ncclResult_t status = ncclGetUniqueId(&self.id);
  if (status != ncclSuccess) set_problem(self, "ncclGetUniqueId: ", ncclGetErrorString(status));
  return self;
}

std::vector<Introduction> exchange(Communicator& host, const Introduction& self) {
  std::vector<Introduction> all;
  for (const std::vector<std::byte>& bytes : host.all_gather(std::as_bytes(std::span(&self, 1)))) {
    COVRL_CHECK(bytes.size() == sizeof(Introduction), bytes.size(), " bytes");
    std::memcpy(&all.emplace_back(), bytes.data(), bytes.size());
  }
  return all;
}

// The same verdict on every rank, so that none goes on alone and waits for the others.
void require_usable(const std::vector<Introduction>& ranks) {
  std::vector<std::string> devices;
  for (size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].problem[0] != '\0')
      throw_usage("NCCL: rank ", r, " of ", ranks.size(), ": ", ranks[r].problem,
                  "; give each rank a GPU (CUDA_VISIBLE_DEVICES, srun --gpus-per-task=1), or use "
                  "the host path (MPI)");
    devices.emplace_back(ranks[r].device);
  }
  require_one_rank_per_device(devices);
}

}  // namespace

void require_one_rank_per_device(const std::vector<std::string>& devices) {
  std::map<std::string, size_t> owner;
  for (size_t r = 0; r < devices.size(); ++r) {
    const auto [entry, is_new] = owner.emplace(devices[r], r);
    if (!is_new)
      throw_usage("NCCL: ranks ", entry->second, " and ", r, " share the GPU ", devices[r],
                  ", and NCCL allows one rank a GPU; start at most as many ranks as there are "
                  "GPUs, each with its own "
                  "(srun --gpus-per-task=1), or use the host path (MPI)");
  }
}

void NcclCommunicator::Release::operator()(ncclComm* comm) const {
  const ncclResult_t status = ncclCommAbort(comm);
  if (status != ncclSuccess) log::warning(concat("NCCL: abort: ", ncclGetErrorString(status)));
}

NcclCommunicator::NcclCommunicator(Communicator& host, int device, std::chrono::seconds deadline)
    : rank_(host.rank()), size_(host.size()), device_(device), deadline_(deadline) {
  const std::vector<Introduction> ranks = exchange(host, introduce(rank_, device));
  require_usable(ranks);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;  // calls return at once, and settle() waits for them with a deadline
  ncclComm* comm = nullptr;
  const ncclResult_t status = ncclCommInitRankConfig(&comm, size_, ranks[0].id, rank_, &config);
  comm_.reset(comm);
  settle(status, "start");
}

// Destroying would wait for unfinished work of peers, without a deadline: aborted in any case,
// which is right after wait().
NcclCommunicator::~NcclCommunicator() = default;

void NcclCommunicator::broadcast(std::span<std::byte> data, int root, DeviceStream stream) {
  COVRL_CHECK(root >= 0 && root < size_, "root ", root, ", size ", size_);
  settle(ncclBroadcast(data.data(), data.data(), data.size(), ncclUint8, root, comm_.get(), stream),
         "broadcast");
}

void NcclCommunicator::all_reduce_sum(std::span<float> values, DeviceStream stream) {
  reduce(values.data(), values.size(), ncclFloat32, stream);
}

void NcclCommunicator::all_reduce_sum(std::span<double> values, DeviceStream stream) {
  reduce(values.data(), values.size(), ncclFloat64, stream);
}

void NcclCommunicator::all_reduce_sum(std::span<int64_t> values, DeviceStream stream) {
  reduce(values.data(), values.size(), ncclInt64, stream);
}

void NcclCommunicator::reduce(void* values, size_t count, int type, DeviceStream stream) {
  settle(ncclAllReduce(values, values, count, static_cast<ncclDataType_t>(type), ncclSum,
                       comm_.get(), stream),
         "sum");
}

void NcclCommunicator::wait(DeviceStream stream) {
  const auto give_up = std::chrono::steady_clock::now() + deadline_;
  for (;;) {
    const cudaError_t status = cudaStreamQuery(stream);
    if (status == cudaSuccess) return;
    if (status != cudaErrorNotReady)
      throw_runtime("CUDA: wait for a collective", who(), ": ", cudaGetErrorString(status));
    ncclResult_t state = ncclSuccess;
    settle(ncclCommGetAsyncError(comm_.get(), &state), "state");
    settle(state, "collective");
    if (std::chrono::steady_clock::now() > give_up)
      throw_runtime("NCCL: wait for a collective", who(), ": not done after ", deadline_.count(),
                    " s; a peer is stuck or gone");
    std::this_thread::sleep_for(kPollInterval);
  }
}

void NcclCommunicator::settle(int status, const char* operation) {
  const auto give_up = std::chrono::steady_clock::now() + deadline_;
  auto result = static_cast<ncclResult_t>(status);
  while (result == ncclInProgress) {
    if (std::chrono::steady_clock::now() > give_up)
      throw_runtime("NCCL: ", operation, who(), ": not done after ", deadline_.count(),
                    " s; a peer is stuck or gone");
    std::this_thread::sleep_for(kPollInterval);
    const ncclResult_t asked = ncclCommGetAsyncError(comm_.get(), &result);
    if (asked != ncclSuccess) result = asked;
  }
  if (result != ncclSuccess)
    throw_runtime("NCCL: ", operation, who(), ": ", ncclGetErrorString(result), "; ",
                  ncclGetLastError(comm_.get()));
}

std::string NcclCommunicator::who() const {
  return concat(" on rank ", rank_, " of ", size_, ", GPU ", device_);
}

}  // namespace covrl
