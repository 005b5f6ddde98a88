// A device that treats the program as a GPU would, where there is none: LibTorch's PrivateUse1 in
// ordinary memory that faults when host code touches it, and an error for every operation that
// mixes its tensors with the CPU's (scalars may). Each operation itself is done by the CPU.
#pragma once

#include <c10/core/Device.h>

namespace covrl::testing {

at::Device fake_device();

}  // namespace covrl::testing
