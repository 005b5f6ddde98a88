// Collectives over real processes: run by mpirun, every rank checks its own results. Inputs are
// such that the right answer is exact, and one MPI call carries few bytes in some cases so that
// every chunk boundary is crossed.
#include "core/comm_mpi.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "core/error.h"
#include "core/rng.h"

namespace covrl {
namespace {

// Tiny, odd, and the one of the program.
const std::vector<size_t> kBytesPerCall = {8, 40, kMaxBytesPerMpiCall};
const std::vector<size_t> kLengths = {0, 1, 2, 7, 1000};

double value_of(int rank, size_t index) {
  return uniform(5, Stream::kTest, {0, index, static_cast<uint32_t>(rank), 0}) - 0.5;
}

void check_double_sum(Communicator& comm) {
  for (const size_t length : kLengths) {
    std::vector<double> values(length);
    for (size_t i = 0; i < length; ++i) values[i] = value_of(comm.rank(), i);
    comm.all_reduce_sum(std::span(values));
    for (size_t i = 0; i < length; ++i) {
      double expected = value_of(0, i);
      for (int r = 1; r < comm.size(); ++r) expected += value_of(r, i);
      COVRL_CHECK(std::memcmp(&values[i], &expected, sizeof expected) == 0, "index ", i, ": ",
                  values[i], " ", expected);
    }
  }
}

void check_int_sum_and_max(Communicator& comm) {
  const int64_t size = comm.size(), rank = comm.rank();
  for (const size_t length : kLengths) {
    std::vector<int64_t> sums(length);
    std::vector<double> maxima(length);
    for (size_t i = 0; i < length; ++i) {
      sums[i] = (int64_t{1} << 55) + rank + static_cast<int64_t>(i);
      maxima[i] = static_cast<double>((rank + static_cast<int64_t>(i)) % size);
    }
    comm.all_reduce_sum(std::span(sums));
    comm.all_reduce_max(std::span(maxima));
    for (size_t i = 0; i < length; ++i) {
      const int64_t expected =
          size * ((int64_t{1} << 55) + static_cast<int64_t>(i)) + size * (size - 1) / 2;
      COVRL_CHECK(sums[i] == expected, sums[i], " ", expected);
      COVRL_CHECK(maxima[i] == static_cast<double>(size - 1), maxima[i]);
    }
  }
}

void check_broadcast(Communicator& comm) {
  for (int root = 0; root < comm.size(); ++root)
    for (const size_t length : kLengths) {
      const std::string sent(length, static_cast<char>('a' + root));
      const std::string mine = comm.rank() == root ? sent : "other";
      COVRL_CHECK(comm.broadcast_string(mine, root) == sent, "root ", root, " length ", length);
    }
}

void check_all_gather(Communicator& comm) {
  const auto length_of = [](int rank, size_t length) {
    return rank % 2 == 0 ? length : 3 * length;
  };
  for (const size_t length : kLengths) {
    const std::vector<std::byte> mine(length_of(comm.rank(), length), std::byte(comm.rank()));
    const auto parts = comm.all_gather(mine);
    COVRL_CHECK(parts.size() == static_cast<size_t>(comm.size()));
    for (int r = 0; r < comm.size(); ++r) {
      const std::vector<std::byte> expected(length_of(r, length), std::byte(r));
      COVRL_CHECK(parts[static_cast<size_t>(r)] == expected, "rank ", r, " length ", length);
    }
  }
}

void check_split(Communicator& comm) {
  const auto part = comm.split(comm.rank() % 2);
  COVRL_CHECK(part->size() == (comm.size() + 1 - comm.rank() % 2) / 2, part->size());
  COVRL_CHECK(part->rank() == comm.rank() / 2, part->rank());
  check_double_sum(*part);
  std::vector<int64_t> world_rank = {comm.rank()};
  part->all_reduce_sum(std::span(world_rank));
  int64_t expected = 0;
  for (int r = comm.rank() % 2; r < comm.size(); r += 2) expected += r;
  COVRL_CHECK(world_rank[0] == expected, world_rank[0]);
  comm.barrier();
}

void run(int expected_size) {
  const auto world = make_world_communicator();
  COVRL_CHECK(world->size() == expected_size, "size ", world->size());
  COVRL_CHECK(num_local_processes() == expected_size, num_local_processes());
  for (const size_t bytes : kBytesPerCall) {
    const auto comm = make_mpi_communicator(bytes);
    check_double_sum(*comm);
    check_int_sum_and_max(*comm);
    check_broadcast(*comm);
    check_all_gather(*comm);
    check_split(*comm);
  }
  if (world->is_root()) std::cout << "collectives of " << expected_size << " ranks: ok\n";
}

// One rank fails while the others wait for it in a barrier: the run must end.
[[noreturn]] void fail_on_last_rank(int status) {
  const auto world = make_world_communicator();
  if (world->rank() == world->size() - 1) abort_world(status);
  world->barrier();
  std::abort();  // the barrier cannot be passed
}

}  // namespace
}  // namespace covrl

// comm_mpi_test NUM_RANKS | comm_mpi_test abort STATUS
int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::string(argv[1]) == "abort") covrl::fail_on_last_rank(std::atoi(argv[2]));
    if (argc != 2) covrl::throw_usage("usage: comm_mpi_test NUM_RANKS | abort STATUS");
    covrl::run(std::atoi(argv[1]));
    return 0;
  } catch (const covrl::Error& error) {
    std::cerr << error.what() << "\n";
    covrl::abort_world(error.exit_status());
    return error.exit_status();
  }
}
