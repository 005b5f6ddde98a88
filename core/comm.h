// Collective communication between the processes of a run. Host memory; every call is collective
// over the communicator's ranks and must be made by the main thread of each, in the same order.
// Integer sums are exact; floating sums are made in rank order on every rank, so that all ranks
// hold the same bits. Failures throw Error(kRuntime) naming operation and rank.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace covrl {

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void barrier() = 0;
  virtual void broadcast(std::span<std::byte> data, int root) = 0;
  virtual void all_reduce_sum(std::span<int64_t> values) = 0;
  virtual void all_reduce_sum(std::span<double> values) = 0;
  virtual void all_reduce_max(std::span<double> values) = 0;
  // Concatenation in rank order: result[r] is what rank r gave. Sizes may differ.
  virtual std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> data) = 0;
  // Ranks with the same color form a new communicator, ordered by rank here.
  virtual std::unique_ptr<Communicator> split(int color) = 0;

  bool is_root() const { return rank() == 0; }
  std::string broadcast_string(std::string value, int root = 0);
};

// One process.
std::unique_ptr<Communicator> make_self_communicator();

// The world of `mpirun`; one process when not started by it. Initialises MPI on the first call and
// finalises it at exit.
std::unique_ptr<Communicator> make_world_communicator();

// Number of this run's processes on this machine, to divide its cores among them (1 without
// mpirun). Collective on its first call, like make_world_communicator().
int num_local_processes();

// For a program that ends in an error: the other ranks may be waiting for this one, so all are
// ended, with `status` as the status of the whole run. Returns only when there are no others.
void abort_world(int status);

}  // namespace covrl
