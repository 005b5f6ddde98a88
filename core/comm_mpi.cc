#include "core/comm_mpi.h"

#define OMPI_SKIP_MPICXX 1   // the C interface only: the old C++ one is a library of its own
#define MPICH_SKIP_MPICXX 1  // the same for MPICH
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "core/error.h"

namespace covrl {
namespace {

bool is_mpi_active() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized != 0 && finalized == 0;
}

void check_mpi(int status, const char* operation, int rank, int size) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw_runtime("MPI: ", operation, " failed on rank ", rank, " of ", size, ": ", text);
}

void finalize_at_exit() {
  if (is_mpi_active()) MPI_Finalize();
}

int count_local_processes() {
  MPI_Comm local = MPI_COMM_NULL;
  int size = 0;
  const int status =
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
  check_mpi(status, "split by machine", 0, 0);
  check_mpi(MPI_Comm_size(local, &size), "size", 0, 0);
  check_mpi(MPI_Comm_free(&local), "free", 0, 0);
  return size;
}

struct World {
  int num_local_processes = 0;
};

// MPI is initialised once; threads of ours never call it.
const World& world() {
  static const World instance = [] {
    int provided = MPI_THREAD_SINGLE;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "init", 0, 0);
    if (provided < MPI_THREAD_FUNNELED)
      throw_runtime("MPI: this library supports no threads (MPI_THREAD_FUNNELED is needed)");
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "set errors", 0, 0);
    std::atexit(finalize_at_exit);
    return World{count_local_processes()};
  }();
  return instance;
}

// Set for each process by mpirun of Open MPI, by MPICH's, and by `srun --mpi=pmix|pmi2`.
bool is_started_by_mpirun() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (std::getenv(name) != nullptr) return true;
  const char* num_tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (num_tasks != nullptr && std::atoi(num_tasks) > 1)
    throw_usage("srun started ", num_tasks, " processes that cannot find each other; use ",
                "`srun --mpi=pmix` or mpirun");
  return false;
}

enum class Ownership { kOwned, kBorrowed };

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, Ownership ownership, size_t max_bytes_per_call)
      : comm_(comm), ownership_(ownership), max_bytes_(max_bytes_per_call) {
    check(MPI_Comm_rank(comm_, &rank_), "rank");
    check(MPI_Comm_size(comm_, &size_), "size");
  }
  ~MpiCommunicator() override {
    if (ownership_ == Ownership::kOwned && is_mpi_active()) MPI_Comm_free(&comm_);
  }
  MpiCommunicator(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void barrier() override { check(MPI_Barrier(comm_), "barrier"); }

  void broadcast(std::span<std::byte> data, int root) override {
    COVRL_CHECK(root >= 0 && root < size_, "root ", root, ", size ", size_);
    for_each_chunk(data, [&](std::span<std::byte> chunk) {
      check(MPI_Bcast(chunk.data(), count(chunk), MPI_BYTE, root, comm_), "broadcast");
    });
  }

  void all_reduce_sum(std::span<int64_t> values) override {
    for_each_chunk(values, [&](std::span<int64_t> chunk) {
      check(MPI_Allreduce(MPI_IN_PLACE, chunk.data(), count(chunk), MPI_INT64_T, MPI_SUM, comm_),
            "sum of integers");
    });
  }

  void all_reduce_max(std::span<double> values) override {
    for_each_chunk(values, [&](std::span<double> chunk) {
      check(MPI_Allreduce(MPI_IN_PLACE, chunk.data(), count(chunk), MPI_DOUBLE, MPI_MAX, comm_),
            "maximum");
    });
  }

  void all_reduce_sum(std::span<double> values) override {
    if (size_ > 1)
      for_each_chunk(values, [&](std::span<double> chunk) { sum_in_rank_order(chunk); });
  }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> data) override {
    std::vector<int64_t> sizes(static_cast<size_t>(size_));
    const auto own_size = static_cast<int64_t>(data.size());
    check(MPI_Allgather(&own_size, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, comm_),
          "gather of sizes");
    const int64_t total = std::reduce(sizes.begin(), sizes.end());
    return static_cast<size_t>(total) <= max_bytes_ ? gather_at_once(data, sizes)
                                                    : gather_by_rank(data, sizes);
  }

  std::unique_ptr<Communicator> split(int color) override {
    COVRL_CHECK(color >= 0, "color ", color);
    MPI_Comm part = MPI_COMM_NULL;
    check(MPI_Comm_split(comm_, color, rank_, &part), "split");
    return std::make_unique<MpiCommunicator>(part, Ownership::kOwned, max_bytes_);
  }

 private:
  void check(int status, const char* operation) const {
    check_mpi(status, operation, rank_, size_);
  }

  template <class T>
  static int count(std::span<T> chunk) {
    return static_cast<int>(chunk.size());
  }

  template <class T, class Call>
  void for_each_chunk(std::span<T> values, Call call) const {
    const size_t most = std::max<size_t>(1, max_bytes_ / sizeof(T));
    for (size_t start = 0; start < values.size(); start += most)
      call(values.subspan(start, std::min(most, values.size() - start)));
  }

  // Each rank sums one slice, in rank order, and all take its result: every rank holds the same
  // bits, which the reduction of MPI does not promise, for twice the traffic of one copy whatever
  // the number of ranks.
  void sum_in_rank_order(std::span<double> values) const {
    const auto num_ranks = static_cast<size_t>(size_);
    const size_t slice = (values.size() + num_ranks - 1) / num_ranks;
    const int slice_count = static_cast<int>(slice);
    std::vector<double> given(slice * num_ranks), terms(slice * num_ranks);
    std::copy(values.begin(), values.end(), given.begin());
    check(MPI_Alltoall(given.data(), slice_count, MPI_DOUBLE, terms.data(), slice_count, MPI_DOUBLE,
                       comm_),
          "sum, exchange of terms");
    for (size_t r = 1; r < num_ranks; ++r)
      for (size_t i = 0; i < slice; ++i) terms[i] += terms[r * slice + i];
    check(MPI_Allgather(terms.data(), slice_count, MPI_DOUBLE, given.data(), slice_count,
                        MPI_DOUBLE, comm_),
          "sum, exchange of sums");
    std::copy_n(given.begin(), values.size(), values.begin());
  }

  std::vector<std::vector<std::byte>> gather_at_once(std::span<const std::byte> data,
                                                     const std::vector<int64_t>& sizes) const {
    const std::vector<int> counts(sizes.begin(), sizes.end());
    std::vector<int> starts(counts.size());
    std::exclusive_scan(counts.begin(), counts.end(), starts.begin(), 0);
    std::vector<std::byte> joined(static_cast<size_t>(starts.back() + counts.back()));
    check(MPI_Allgatherv(data.data(), static_cast<int>(data.size()), MPI_BYTE, joined.data(),
                         counts.data(), starts.data(), MPI_BYTE, comm_),
          "gather");
    std::vector<std::vector<std::byte>> result;
    for (size_t r = 0; r < counts.size(); ++r)
      result.emplace_back(joined.begin() + starts[r], joined.begin() + starts[r] + counts[r]);
    return result;
  }

  std::vector<std::vector<std::byte>> gather_by_rank(std::span<const std::byte> data,
                                                     const std::vector<int64_t>& sizes) {
    std::vector<std::vector<std::byte>> result;
    for (int r = 0; r < size_; ++r) {
      std::vector<std::byte>& part = result.emplace_back(static_cast<size_t>(sizes[r]));
      if (r == rank_) std::copy(data.begin(), data.end(), part.begin());
      broadcast(part, r);
    }
    return result;
  }

  MPI_Comm comm_;
  Ownership ownership_;
  size_t max_bytes_;
  int rank_ = 0;
  int size_ = 0;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(size_t max_bytes_per_call) {
  world();
  return std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, Ownership::kBorrowed,
                                           max_bytes_per_call);
}

// A plain start does not touch MPI: initialising it costs a good part of a second.
std::unique_ptr<Communicator> make_world_communicator() {
  return is_started_by_mpirun() ? make_mpi_communicator() : make_self_communicator();
}

int num_local_processes() { return is_started_by_mpirun() ? world().num_local_processes : 1; }

void abort_world(int status) {
  if (!is_mpi_active()) return;
  int size = 1;
  if (MPI_Comm_size(MPI_COMM_WORLD, &size) == MPI_SUCCESS && size == 1) return;
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, status);
}

}  // namespace covrl
