#include "core/comm_nccl.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/comm.h"
#include "core/error.h"
#include "tests/support/fake_comm.h"

namespace covrl {
namespace {

int num_gpus() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

TEST(NcclCommunicatorTest, TwoRanksOnOneGpuAreRefused) {
  require_one_rank_per_device({"a", "b", "c"});
  try {
    require_one_rank_per_device({"a", "b", "c", "b"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("ranks 1 and 3 share the GPU b"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("host path"), std::string::npos) << error.what();
  }
}

// Every rank ends with the same error: none is left waiting in NCCL.
TEST(NcclCommunicatorTest, MissingGpuIsTheSameErrorOnAllRanks) {
  const int missing = num_gpus();  // the first number that no GPU has
  std::mutex mutex;
  std::set<std::string> messages;
  testing::run_ranks(3, [&](Communicator& host) {
    try {
      NcclCommunicator comm(host, missing);
    } catch (const Error& error) {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      messages.insert(error.what());
    }
  });
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages.begin()->find("NCCL: rank 0 of 3: no "), std::string::npos)
      << *messages.begin();
  EXPECT_NE(messages.begin()->find("GPU"), std::string::npos) << *messages.begin();
}

TEST(NcclCommunicatorTest, TwoThreadsOnOneGpuAreRefusedByBoth) {
  if (num_gpus() == 0) GTEST_SKIP() << "no GPU";
  std::mutex mutex;
  std::set<std::string> messages;
  testing::run_ranks(2, [&](Communicator& host) {
    try {
      NcclCommunicator comm(host, 0);
    } catch (const Error& error) {
      const std::lock_guard lock(mutex);
      messages.insert(error.what());
    }
  });
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages.begin()->find("ranks 0 and 1 share the GPU"), std::string::npos)
      << *messages.begin();
}

// One rank for each GPU, as threads; each value is such that the sums are exact.
TEST(NcclCommunicatorTest, SumsAndBroadcastsDeviceMemory) {
  const int num_ranks = num_gpus();
  if (num_ranks == 0) GTEST_SKIP() << "no GPU";
  constexpr size_t kCount = 1021;
  testing::run_ranks(num_ranks, [&](Communicator& host) {
    const int rank = host.rank();
    NcclCommunicator comm(host, rank);
    cudaStream_t stream = nullptr;
    ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
    float* values = nullptr;
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&values), kCount * sizeof(float)), cudaSuccess);
    const std::span<float> device(values, kCount);
    std::vector<float> mine(kCount, static_cast<float>(rank + 1)), seen(kCount);
    ASSERT_EQ(cudaMemcpy(values, mine.data(), device.size_bytes(), cudaMemcpyDefault), cudaSuccess);
    comm.all_reduce_sum(device, stream);
    comm.wait(stream);
    ASSERT_EQ(cudaMemcpy(seen.data(), values, device.size_bytes(), cudaMemcpyDefault), cudaSuccess);
    EXPECT_EQ(seen,
              std::vector<float>(kCount, static_cast<float>(num_ranks * (num_ranks + 1) / 2)));
    ASSERT_EQ(cudaMemcpy(values, mine.data(), device.size_bytes(), cudaMemcpyDefault), cudaSuccess);
    comm.broadcast(std::as_writable_bytes(device), num_ranks - 1, stream);
    comm.wait(stream);
    ASSERT_EQ(cudaMemcpy(seen.data(), values, device.size_bytes(), cudaMemcpyDefault), cudaSuccess);
    EXPECT_EQ(seen, std::vector<float>(kCount, static_cast<float>(num_ranks)));
    EXPECT_EQ(cudaFree(values), cudaSuccess);
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  });
}

}  // namespace
}  // namespace covrl
