// The MPI side of comm.h, apart so that tests can choose how much one MPI call carries.
#pragma once

#include <cstddef>
#include <memory>

#include "core/comm.h"

namespace covrl {

// MPI counts are ints: what is larger goes in several calls.
constexpr size_t kMaxBytesPerMpiCall = size_t{1} << 26;

// The world of mpirun (of one process when started alone), through MPI in any case.
std::unique_ptr<Communicator> make_mpi_communicator(
    size_t max_bytes_per_call = kMaxBytesPerMpiCall);

}  // namespace covrl
