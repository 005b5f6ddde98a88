// libcuda.so.1 for a LibTorch program that runs on the emulator, which stands in for the CUDA
// runtime alone: the one thing LibTorch asks of the driver before it uses a device.
extern "C" __attribute__((visibility("default"))) int cuDevicePrimaryCtxGetState(int /*device*/,
                                                                                 unsigned* flags,
                                                                                 int* active) {
  *flags = 0;
  *active = 1;
  return 0;
}
