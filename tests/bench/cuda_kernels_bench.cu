// The CUDA kernels at the shapes of Qwen2.5-0.5B, each alone: the bytes that it has to move at
// least (every input read once, every output written once) and, on a GPU, what it takes.
//
//   bench_cuda_kernels               on a GPU: microseconds and GB/s, median of 20 launches
//   bench_cuda_kernels --once        one launch of each, for scripts/kernel_figures.sh, which joins
//                                    this list with what the emulator counted
//
// A line a case: kernel, shape, number of launches in it, least bytes[, microseconds, GB/s].
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>

#include "kernels/adamw_cuda.h"
#include "kernels/decode_attention_cuda.h"
#include "kernels/rms_norm_cuda.h"
#include "kernels/rope_cuda.h"
#include "kernels/sample_token_cuda.h"
#include "kernels/swiglu_cuda.h"
#include "kernels/token_logprob_cuda.h"
#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

struct Case {
  const char* kernel;
  std::string shape;
  double least_bytes;
  int num_launches;
  std::function<cudaError_t()> run;
};

template <class T>
std::shared_ptr<DeviceBuffer<T>> filled(size_t count, float scale = 1, unsigned seed = 1) {
  return std::make_shared<DeviceBuffer<T>>(random_values<T>(count, scale, seed).values);
}

template <class T>
const char* type_name() {
  return sizeof(T) == 4 ? "float32" : "bfloat16";
}

template <class T>
std::string shape_of(const char* format, int64_t a, int64_t b = 0, int64_t c = 0) {
  char text[96];
  std::snprintf(text, sizeof text, format, static_cast<long long>(a), static_cast<long long>(b),
                static_cast<long long>(c));
  return std::string(text) + " " + type_name<T>();
}

constexpr int64_t kTokens = 64, kHidden = 896, kIntermediate = 4864, kHeads = 14, kHeadSize = 64,
                  kVocabulary = 151936, kRows = 4, kParameters = 1 << 18;

template <class T>
Case rms_norm_case() {
  const auto x = filled<T>(kTokens * kHidden), weight = filled<T>(kHidden);
  const auto y = std::make_shared<DeviceBuffer<T>>(kTokens * kHidden);
  return {"rms_norm", shape_of<T>("T=%lld D=%lld", kTokens, kHidden),
          static_cast<double>(sizeof(T)) * (2 * kTokens * kHidden + kHidden), 1, [=] {
            return rms_norm_forward_cuda(
                {x->data(), weight->data(), y->data(), kType<T>, kTokens, kHidden, 1e-6f}, nullptr);
          }};
}

template <class T>
Case swiglu_case() {
  const int64_t count = kTokens * kIntermediate;
  const auto gate = filled<T>(count), up = filled<T>(count);
  const auto y = std::make_shared<DeviceBuffer<T>>(count);
  return {
      "swiglu", shape_of<T>("T=%lld F=%lld", kTokens, kIntermediate), 3.0 * sizeof(T) * count, 1,
      [=] {
        return swiglu_forward_cuda({gate->data(), up->data(), y->data(), kType<T>, count}, nullptr);
      }};
}

template <class T>
Case rope_case() {
  const int64_t count = kTokens * kHeads * kHeadSize;
  const auto x = filled<T>(count);
  const auto y = std::make_shared<DeviceBuffer<T>>(count);
  const auto cos = filled<float>(kTokens * kHeadSize / 2),
             sin = filled<float>(kTokens * kHeadSize / 2);
  std::vector<int64_t> places(kTokens);
  for (int64_t t = 0; t < kTokens; ++t) places[t] = t;
  const auto positions = std::make_shared<DeviceBuffer<int64_t>>(places);
  return {"rope", shape_of<T>("T=%lld H=%lld d=%lld", kTokens, kHeads, kHeadSize),
          2.0 * sizeof(T) * count + 4.0 * kTokens * kHeadSize + 8.0 * kTokens, 1, [=] {
            return rope_forward_cuda({x->data(), y->data(), kType<T>, cos->data(), sin->data(),
                                      positions->data(), kTokens, kHeads, kHeadSize},
                                     nullptr);
          }};
}

Case adamw_case() {
  const auto param = filled<float>(kParameters), grad = filled<float>(kParameters),
             mean = filled<float>(kParameters), square = filled<float>(kParameters);
  check_cuda(cudaMemset(square->data(), 0, 4 * kParameters));
  const AdamwScalars scalars{1, 1, 0.1f, 0.999f, 0.001f, 0.03f, 1e-8f, -1e-5f};
  return {"adamw", shape_of<float>("n=%lld", kParameters), 28.0 * kParameters, 1, [=] {
            return adamw_cuda(
                {param->data(), grad->data(), mean->data(), square->data(), kParameters}, scalars,
                nullptr);
          }};
}

template <class T>
std::vector<Case> token_logprob_cases() {
  const auto logits = filled<T>(kRows * kVocabulary);
  const auto targets = std::make_shared<DeviceBuffer<int64_t>>(std::vector<int64_t>(kRows, 17));
  const auto logprob = std::make_shared<DeviceBuffer<float>>(kRows),
             entropy = std::make_shared<DeviceBuffer<float>>(kRows),
             statistics = std::make_shared<DeviceBuffer<float>>(3 * kRows);
  const auto gradient = filled<float>(kRows);
  const double row_bytes = static_cast<double>(sizeof(T)) * kVocabulary;
  const std::string shape = shape_of<T>("T=%lld V=%lld", kRows, kVocabulary);
  return {{"token_logprob", shape, kRows * (row_bytes + 8 + 20), 1,
           [=] {
             return token_logprob_forward_cuda(
                 {logits->data(), kType<T>, targets->data(), kRows, kVocabulary, 1.0f,
                  logprob->data(), entropy->data(), statistics->data()},
                 nullptr);
           }},
          {"token_logprob backward", shape, kRows * (2 * row_bytes + 8 + 20), 1, [=] {
             return token_logprob_backward_cuda(
                 {logits->data(), kType<T>, targets->data(), kRows, kVocabulary, 1.0f,
                  statistics->data(), gradient->data(), gradient->data()},
                 nullptr);
           }}};
}

// A tile of the vocabulary, as token_logprob streams them from hidden states.
Case fold_case() {
  constexpr int64_t kIds = 8192;
  const auto logits = filled<float>(kTokens * kIds);
  const auto targets = std::make_shared<DeviceBuffer<int64_t>>(std::vector<int64_t>(kTokens, 17));
  const auto state = filled<float>(4 * kTokens);
  return {"token_logprob fold", shape_of<float>("T=%lld W=%lld", kTokens, kIds),
          4.0 * kTokens * kIds + (8 + 2 * 12) * kTokens, 1, [=] {
            return token_logprob_fold_cuda({logits->data(), CudaType::kFloat32, targets->data(),
                                            kTokens, kIds, kIds, 1.0f, state->data()},
                                           nullptr);
          }};
}

template <class T>
Case sample_case(const char* name, int64_t top_k, double top_p) {
  const auto logits = filled<T>(kRows * kVocabulary, 3);
  const auto uniforms =
      std::make_shared<DeviceBuffer<double>>(std::vector<double>{0.1, 0.4, 0.7, 0.9});
  const auto token = std::make_shared<DeviceBuffer<int64_t>>(kRows);
  const auto floats = std::make_shared<DeviceBuffer<float>>(3 * kRows);
  SampleTokenRows rows;
  rows.type = kType<T>;
  rows.num_rows = kRows;
  rows.num_ids = kVocabulary;
  rows.temperature = 0.8;
  rows.top_k = top_k;
  rows.top_p = top_p;
  return {name, shape_of<T>("B=%lld V=%lld", kRows, kVocabulary),
          kRows * (static_cast<double>(sizeof(T)) * kVocabulary + 8 + 20), 1, [=]() mutable {
            rows.logits_BV = logits->data();
            rows.uniforms_B = uniforms->data();
            rows.token_B = token->data();
            rows.logprob_B = floats->data();
            rows.filtered_logprob_B = floats->data() + kRows;
            rows.entropy_B = floats->data() + 2 * kRows;
            return sample_token_cuda(rows, nullptr);
          }};
}

template <class T>
Case decode_attention_case(int64_t length) {
  constexpr int64_t kBatch = 4, kKeyHeads = 2, kPageSize = 16;
  const int64_t pages = (length + kPageSize - 1) / kPageSize;
  const int64_t queries = kBatch * kHeads * kHeadSize,
                keys = kBatch * length * kKeyHeads * kHeadSize;
  const auto cache_size = kBatch * pages * kPageSize * kKeyHeads * kHeadSize;
  const auto q = filled<T>(queries), k = filled<T>(cache_size), v = filled<T>(cache_size, 1, 2);
  const auto output = std::make_shared<DeviceBuffer<T>>(queries);
  std::vector<int32_t> places(kBatch * pages);
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int32_t>(i);
  const auto table = std::make_shared<DeviceBuffer<int32_t>>(places);
  const auto lengths = std::make_shared<DeviceBuffer<int32_t>>(
      std::vector<int32_t>(kBatch, static_cast<int32_t>(length)));
  DecodeAttentionForward s;
  s.type = kType<T>;
  s.batch = kBatch;
  s.max_pages = pages;
  s.page_size = kPageSize;
  s.query_heads = kHeads;
  s.key_heads = kKeyHeads;
  s.head_size = kHeadSize;
  s.scale = 0.125f;
  const auto partial = std::make_shared<DeviceBuffer<float>>(decode_attention_partial(s) + 1);
  return {"decode_attention", shape_of<T>("B=%lld Q=14 H=2 d=64 %lld keys", kBatch, length),
          static_cast<double>(sizeof(T)) * 2 * (queries + keys) + 4.0 * kBatch * (pages + 1),
          length > kKeysPerSplit ? 2 : 1, [=]() mutable {
            s.q_BQd = q->data();
            s.k_PSHd = k->data();
            s.v_PSHd = v->data();
            s.output_BQd = output->data();
            s.block_table_BM = table->data();
            s.lengths_B = lengths->data();
            s.partial = partial->data();
            return decode_attention_cuda(s, nullptr);
          }};
}

std::vector<Case> decoding_cases() {
  return {fold_case(),
          sample_case<float>("sample_token", 0, 1),
          sample_case<__nv_bfloat16>("sample_token", 0, 1),
          sample_case<float>("sample_token top_k top_p", 50, 0.95),
          sample_case<__nv_bfloat16>("sample_token top_k top_p", 50, 0.95),
          decode_attention_case<float>(256),
          decode_attention_case<__nv_bfloat16>(256),
          decode_attention_case<float>(2000),
          decode_attention_case<__nv_bfloat16>(2000)};
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = {rms_norm_case<float>(),
                             rms_norm_case<__nv_bfloat16>(),
                             swiglu_case<float>(),
                             swiglu_case<__nv_bfloat16>(),
                             rope_case<float>(),
                             rope_case<__nv_bfloat16>(),
                             adamw_case()};
  for (const std::vector<Case>& more :
       {token_logprob_cases<float>(), token_logprob_cases<__nv_bfloat16>(), decoding_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

float microseconds_of(const Case& one) {
  cudaEvent_t begin, end;
  check_cuda(cudaEventCreate(&begin));
  check_cuda(cudaEventCreate(&end));
  std::vector<float> times;
  for (int repeat = 0; repeat < 23; ++repeat) {  // the first three warm up
    check_cuda(cudaEventRecord(begin));
    check_cuda(one.run());
    check_cuda(cudaEventRecord(end));
    check_cuda(cudaEventSynchronize(end));
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin, end));
    if (repeat >= 3) times.push_back(1000 * milliseconds);
  }
  check_cuda(cudaEventDestroy(begin));
  check_cuda(cudaEventDestroy(end));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int run(bool once) {
  if (!has_device()) {
    std::fputs("bench_cuda_kernels: no CUDA device\n", stderr);
    return 1;
  }
  for (const Case& one : all_cases()) {
    std::printf("%s\t%s\t%d\t%.0f", one.kernel, one.shape.c_str(), one.num_launches,
                one.least_bytes);
    if (once) {
      check_cuda(one.run());
      check_cuda(cudaDeviceSynchronize());
    } else {
      const float microseconds = microseconds_of(one);
      std::printf("\t%.1f\t%.0f", microseconds, one.least_bytes / microseconds / 1e3);
    }
    std::puts("");
  }
  return 0;
}

}  // namespace
}  // namespace covrl::kernels

int main(int argc, char** argv) {
  return covrl::kernels::run(argc > 1 && std::strcmp(argv[1], "--once") == 0);
}
