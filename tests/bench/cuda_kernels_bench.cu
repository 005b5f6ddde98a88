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
#include <tuple>

#include "kernels/adamw_cuda.h"
#include "kernels/covariance_cuda.h"
#include "kernels/decode_attention_cuda.h"
#include "kernels/rms_norm_cuda.h"
#include "kernels/rope_cuda.h"
#include "kernels/sample_token_cuda.h"
#include "kernels/swiglu_cuda.h"
#include "kernels/token_logprob_cuda.h"
#include "kernels/token_policy_loss_cuda.h"
#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

using namespace model_shape;

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

constexpr int64_t kTokens = 64, kRows = 4, kParameters = 1 << 18, kLossTokens = 1 << 18;

// Forward, of the sum with a residual, backward with the gradient that goes past the norm. Enough
// tokens that the weight, which a block reads once for its rows, does not show.
template <class T>
std::vector<Case> rms_norm_cases() {
  constexpr int64_t kManyTokens = 4096, kCount = kManyTokens * kHidden;
  const auto x = filled<T>(kCount), residual = filled<T>(kCount, 1, 2), weight = filled<T>(kHidden);
  const auto y = std::make_shared<DeviceBuffer<T>>(kCount),
             sum = std::make_shared<DeviceBuffer<T>>(kCount),
             grad_weight = std::make_shared<DeviceBuffer<T>>(kHidden);
  const auto inverse = filled<float>(kManyTokens);
  const auto workspace =
      std::make_shared<DeviceBuffer<float>>(rms_norm_workspace(kManyTokens) * kHidden);
  RmsNormForward plain = {x->data(),   weight->data(), y->data(), kType<T>,
                          kManyTokens, kHidden,        1e-6f};
  RmsNormForward with_residual = plain;
  with_residual.residual_TD = residual->data();
  with_residual.sum_TD = sum->data();
  with_residual.inverse_T = inverse->data();
  const RmsNormBackward backward = {
      x->data(), weight->data(), y->data(), residual->data(), sum->data(),      grad_weight->data(),
      kType<T>,  kManyTokens,    kHidden,   inverse->data(),  workspace->data()};
  const std::string shape = shape_of<T>("T=%lld D=%lld", kManyTokens, kHidden);
  const double tensor = static_cast<double>(sizeof(T)) * kCount, row = sizeof(T) * kHidden;
  const auto keep = [=] {
    return std::make_tuple(x, residual, weight, y, sum, grad_weight, inverse, workspace);
  };
  return {{"rms_norm", shape, 2 * tensor + row, 1,
           [=, kept = keep()] { return rms_norm_forward_cuda(plain, nullptr); }},
          {"rms_norm residual", shape, 4 * tensor + row + 4 * kManyTokens, 1,
           [=, kept = keep()] { return rms_norm_forward_cuda(with_residual, nullptr); }},
          {"rms_norm backward", shape, 4 * tensor + 2 * row + 4 * kManyTokens, 2,
           [=, kept = keep()] { return rms_norm_backward_cuda(backward, nullptr); }}};
}

template <class T>
std::vector<Case> swiglu_cases() {
  const int64_t count = kTokens * kIntermediate;
  const auto gate = filled<T>(count), up = filled<T>(count), grad = filled<T>(count);
  const auto y = std::make_shared<DeviceBuffer<T>>(count),
             z = std::make_shared<DeviceBuffer<T>>(count);
  const std::string shape = shape_of<T>("T=%lld F=%lld", kTokens, kIntermediate);
  return {{"swiglu", shape, 3.0 * sizeof(T) * count, 1,
           [=] {
             return swiglu_forward_cuda({gate->data(), up->data(), y->data(), kType<T>, count},
                                        nullptr);
           }},
          {"swiglu backward", shape, 5.0 * sizeof(T) * count, 1, [=] {
             return swiglu_backward_cuda(
                 {gate->data(), up->data(), grad->data(), y->data(), z->data(), kType<T>, count},
                 nullptr);
           }}};
}

// The backward pass is the same rotation the other way.
template <class T>
std::vector<Case> rope_cases() {
  constexpr int64_t kCount = kTokens * kHeads * kHeadSize, kKeys = kTokens * kKeyHeads * kHeadSize;
  const auto x = filled<T>(kCount);
  const auto y = std::make_shared<DeviceBuffer<T>>(kCount),
             z = std::make_shared<DeviceBuffer<T>>(kCount);
  const auto cos = filled<float>(kTokens * kHeadSize / 2),
             sin = filled<float>(kTokens * kHeadSize / 2);
  std::vector<int64_t> places(kTokens);
  for (int64_t t = 0; t < kTokens; ++t) places[t] = t;
  const auto positions = std::make_shared<DeviceBuffer<int64_t>>(places),
             slots = std::make_shared<DeviceBuffer<int64_t>>(places);
  const double angles = 4.0 * kTokens * kHeadSize + 8.0 * kTokens;
  return {{"rope", shape_of<T>("T=%lld H=%lld d=%lld", kTokens, kHeads, kHeadSize),
           2.0 * sizeof(T) * kCount + angles, 1,
           [=] {
             return rope_cuda({x->data(),
                               y->data(),
                               kType<T>,
                               {cos->data(), sin->data(), positions->data()},
                               kTokens,
                               kHeads,
                               kHeadSize},
                              nullptr);
           }},
          {"rope into cache", shape_of<T>("T=%lld H=%lld d=%lld", kTokens, kKeyHeads, kHeadSize),
           4.0 * sizeof(T) * kKeys + angles + 8.0 * kTokens, 1, [=] {
             return rope_into_cache_cuda({x->data(),
                                          x->data(),
                                          y->data(),
                                          z->data(),
                                          kType<T>,
                                          {cos->data(), sin->data(), positions->data()},
                                          slots->data(),
                                          kTokens,
                                          kKeyHeads,
                                          kHeadSize},
                                         nullptr);
           }}};
}

// float32 alone, with bfloat16 weights beside the master copy, and the norm to clip by.
std::vector<Case> adamw_cases() {
  const auto param = filled<float>(kParameters), grad = filled<float>(kParameters),
             mean = filled<float>(kParameters), square = filled<float>(kParameters);
  check_cuda(cudaMemset(square->data(), 0, 4 * kParameters));
  const auto weights = std::make_shared<DeviceBuffer<__nv_bfloat16>>(kParameters);
  const auto norm = std::make_shared<DeviceBuffer<double>>(1);
  const int64_t num_parts = gradient_norm_workspace(kParameters);
  const auto workspace = std::make_shared<DeviceBuffer<double>>(num_parts);
  AdamwScalars scalars{1, 1, 0.1f, 0.999f, 0.001f, 0.03f, 1e-8f, -1e-5f};
  AdamwBuffers buffers = {param->data(), grad->data(), mean->data(), square->data(), kParameters};
  const auto plain = [=, kept = std::make_tuple(param, grad, mean, square)] {
    return adamw_cuda(buffers, scalars, nullptr);
  };
  AdamwScalars clipping = scalars;
  clipping.max_norm = 1;
  buffers.weights = weights->data();
  buffers.grad_norm = norm->data();
  const std::string shape = shape_of<float>("n=%lld", kParameters);
  return {{"adamw", shape, 28.0 * kParameters, 1, plain},
          {"gradient_norm", shape, 4.0 * kParameters + 8, 2,
           [=] {
             return gradient_norm_cuda({grad->data(), kParameters, workspace->data(), norm->data()},
                                       nullptr);
           }},
          {"adamw clipped, bfloat16 weights", shape, 30.0 * kParameters + 8, 1,
           [=, kept = std::make_tuple(param, grad, mean, square, weights, norm)] {
             return adamw_cuda(buffers, clipping, nullptr);
           }}};
}

PolicyLossTerms every_term() {
  PolicyLossTerms terms;
  terms.ratio_min = 0.8;
  terms.ratio_max = 1.28;
  terms.ratio_cap = 3;
  terms.pull = terms.entropy = terms.kl = 0.01;
  return terms;
}

Case token_policy_loss_case() {
  constexpr int kInputs = 6, kGradients = 2, kFlags = 3;
  std::vector<std::shared_ptr<DeviceBuffer<float>>> columns;
  for (unsigned seed = 0; seed < kInputs + kGradients; ++seed)
    columns.push_back(filled<float>(kLossTokens, 1, seed));
  const auto mask = std::make_shared<DeviceBuffer<char>>(std::vector<char>(kLossTokens, 1)),
             some = std::make_shared<DeviceBuffer<char>>(std::vector<char>(2 * kLossTokens, 0));
  const auto weight = std::make_shared<DeviceBuffer<double>>(
      std::vector<double>(kLossTokens, 1.0 / static_cast<double>(kLossTokens)));
  const auto means = std::make_shared<DeviceBuffer<double>>(std::vector<double>{-1, 0});
  const auto sums = std::make_shared<DeviceBuffer<double>>(kNumPolicyLossCudaSums),
             partial = std::make_shared<DeviceBuffer<double>>(kNumPolicyLossCudaSums *
                                                              policy_loss_blocks(kLossTokens));
  const double token_bytes = 4 * (kInputs + kGradients) + kFlags + sizeof(double);
  return {"token_policy_loss", shape_of<float>("T=%lld", kLossTokens), token_bytes * kLossTokens, 2,
          [=] {
            TokenPolicyLossCuda in;
            const float** const inputs[] = {&in.logprob_T, &in.old_logprob_T, &in.advantage_T,
                                            &in.entropy_T, &in.ref_logprob_T, &in.rollout_weight_T};
            for (int i = 0; i < kInputs; ++i) *inputs[i] = columns[i]->data();
            in.grad_logprob_T = columns[kInputs]->data();
            in.grad_entropy_T = columns[kInputs + 1]->data();
            in.mask_T = reinterpret_cast<const bool*>(mask->data());
            in.dropped_T = reinterpret_cast<const bool*>(some->data());
            in.pulled_T = in.dropped_T + kLossTokens;
            in.weight_T = weight->data();
            in.num_tokens = kLossTokens;
            in.terms = every_term();
            in.mean_logprob = means->data();
            in.mean_advantage = means->data() + 1;
            in.partial_sums = partial->data();
            in.sums = sums->data();
            return token_policy_loss_cuda(in, nullptr);
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
  constexpr int64_t kBatch = 4, kPageSize = 16;
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

// A selection's least is one reading and the marks; the digits that decide are a reading each.
std::vector<Case> covariance_cases() {
  constexpr int64_t kCount = 1 << 16;
  const auto logprob = filled<float>(kCount), advantage = filled<float>(kCount, 1, 2);
  const auto mask = std::make_shared<DeviceBuffer<char>>(std::vector<char>(kCount, 1)),
             selected = std::make_shared<DeviceBuffer<char>>(kCount);
  std::vector<int64_t> order(kCount);
  for (int64_t t = 0; t < kCount; ++t) order[t] = t;
  const auto ids = std::make_shared<DeviceBuffer<int64_t>>(order);
  const auto values = std::make_shared<DeviceBuffer<double>>(kCount);
  const auto state = std::make_shared<DeviceBuffer<CovarianceState>>(1);
  const auto tokens = [=] {
    return CovarianceTokens{logprob->data(), advantage->data(),
                            reinterpret_cast<const bool*>(mask->data()), ids->data(), kCount};
  };
  const std::string shape = shape_of<float>("T=%lld", kCount);
  return {{"covariance moments", shape, 9.0 * kCount, 5,
           [=] { return covariance_moments_cuda(tokens(), state->data(), nullptr); }},
          {"covariance", shape, 17.0 * kCount, 1,
           [=] { return covariance_cuda(tokens(), state->data(), values->data(), nullptr); }},
          {"covariance largest 0.2 %", shape, 10.0 * kCount, 2 + 4 * kRadixDigits, [=] {
             return select_largest_covariance_cuda(tokens(), {kCount / 500}, state->data(),
                                                   reinterpret_cast<bool*>(selected->data()),
                                                   nullptr);
           }}};
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = {token_policy_loss_case()};
  for (const std::vector<Case>& more :
       {rms_norm_cases<float>(), rms_norm_cases<__nv_bfloat16>(), swiglu_cases<float>(),
        swiglu_cases<__nv_bfloat16>(), rope_cases<float>(), rope_cases<__nv_bfloat16>(),
        adamw_cases(), token_logprob_cases<float>(), token_logprob_cases<__nv_bfloat16>(),
        decoding_cases(), covariance_cases()})
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
