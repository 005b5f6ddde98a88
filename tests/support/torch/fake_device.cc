// Threads: operations come from any thread (the backward pass of a device has its own). Memory is
// open while at least one operation runs; one mutex guards the counts.
#include "tests/support/torch/fake_device.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sys/mman.h>
#include <torch/library.h>

#include <cstddef>
#include <mutex>

namespace covrl::testing {
namespace {

constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;
const at::Device kDevice(kType, 0);

// One range of addresses, handed out in order; it starts anew when nothing is in use.
class Memory {
 public:
  Memory()
      : base_(
            mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    TORCH_CHECK(base_ != MAP_FAILED, "fake device: no memory");
  }
  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    TORCH_CHECK(next_ + bytes <= kBytes, "fake device: out of memory");
    void* block = static_cast<std::byte*>(base_) + next_;
    next_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    ++num_blocks_;
    return block;
  }
  void give_back() {
    const std::lock_guard lock(mutex_);
    if (--num_blocks_ == 0) next_ = 0;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    if (num_open_++ == 0) protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (--num_open_ == 0) protect(PROT_NONE);
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 30;
  static constexpr size_t kAlignment = 64;
  void protect(int protection) {
    TORCH_CHECK(mprotect(base_, kBytes, protection) == 0, "fake device: mprotect");
  }

  std::mutex mutex_;
  void* base_;
  size_t next_ = 0;
  int64_t num_blocks_ = 0;
  int num_open_ = 0;
};

Memory& memory() {
  static Memory instance;
  return instance;
}

struct OpenMemory {
  OpenMemory() { memory().open(); }
  ~OpenMemory() { memory().close(); }
};

void give_back(void* block) {
  if (block != nullptr) memory().give_back();
}

struct FakeAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes == 0 ? nullptr : memory().take(bytes);
    return {block, block, &give_back, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    const OpenMemory open;
    default_copy_data(to, from, bytes);
  }
};

FakeAllocator& allocator() {
  static FakeAllocator instance;
  return instance;
}

struct FakeGuard final : c10::impl::NoOpDeviceGuardImpl<kType> {
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
  c10::Stream exchangeStream(c10::Stream) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, FakeGuard);

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator(), kKeys, c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride,
                         std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator(), kKeys,
                                           c10::dtype_or_default(dtype));
}

// The same memory as a tensor of the CPU; to be used while the memory is open.
at::Tensor on_host(const at::Tensor& tensor) {
  if (tensor.device().type() != kType) return tensor;
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(),
                       at::TensorOptions(tensor.scalar_type()));
}

at::Tensor& copy(at::Tensor& self, const at::Tensor& source, bool) {
  const OpenMemory open;
  at::Tensor target = on_host(self);
  target.copy_(on_host(source));
  return self;
}

at::Tensor copy_from(const at::Tensor& source, const at::Tensor& target, bool non_blocking) {
  at::Tensor self = target;
  return copy(self, source, non_blocking);
}

at::Tensor copy_from_and_resize(const at::Tensor& source, const at::Tensor& target) {
  TORCH_CHECK(source.sizes() == target.sizes(), "fake device: an operation resized its output");
  return copy_from(source, target, false);
}

at::Scalar local_scalar(const at::Tensor& self) {
  const OpenMemory open;
  return on_host(self).item();
}

void check_one_device(const c10::OperatorHandle& op, const at::Tensor& tensor) {
  TORCH_CHECK(!tensor.defined() || tensor.device().type() == kType || tensor.dim() == 0,
              op.schema().name(), ": expected all tensors to be on the same device, found ",
              tensor.device(), " beside ", kDevice);
}

void run_on_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  for (const c10::IValue& value : torch::jit::last(*stack, op.schema().arguments().size())) {
    if (value.isTensor()) check_one_device(op, value.toTensor());
    if (!value.isTensorList()) continue;
    for (const at::Tensor& tensor : value.toTensorVector()) check_one_device(op, tensor);
  }
  const OpenMemory open;
  at::native::cpu_fallback(op, stack);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_host>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", &at::native::view);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
  library.impl("copy_", &copy);
  library.impl("_copy_from", &copy_from);
  library.impl("_copy_from_and_resize", &copy_from_and_resize);
  library.impl("_local_scalar_dense", &local_scalar);
}

struct FakeHooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};

}  // namespace

at::Device fake_device() {
  static const bool is_ready = [] {
    c10::register_privateuse1_backend(
        "fake_device");  // before CUDA in LibTorch's eyes, where both are linked
    c10::SetAllocator(kType, &allocator());
    static FakeHooks hooks;
    at::RegisterPrivateUse1HooksInterface(&hooks);
    at::set_num_threads(1);  // for operations this small, threads cost more than they give
    return true;
  }();
  TORCH_CHECK(is_ready);
  return kDevice;
}

}  // namespace covrl::testing
