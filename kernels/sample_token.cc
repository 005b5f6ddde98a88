#include "kernels/sample_token.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/error.h"
#include "kernels/cuda_ops.h"
#include "kernels/mode.h"
#include "kernels/parallel.h"
#include "kernels/reference_logprob.h"
#include "kernels/softmax_row.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kLogitsPerThread = 32768;  // fewer are not worth waking a thread for

// One row, its statistics at the filter's temperature, and the weight of each id: exp((z - max) /
// temperature), 0 where filtered out.
struct Row {
  const float* logits;
  int64_t num_ids;
  float inverse_temperature;
  SoftmaxRow softmax;
  std::vector<float> weights;
};

bool filters(const SamplingFilter& filter, int64_t num_ids) {
  return (filter.top_k > 0 && filter.top_k < num_ids) || filter.top_p < 1 || filter.min_p > 0;
}

void check_filter(const SamplingFilter& filter) {
  if (!(filter.temperature >= 0) || std::isinf(filter.temperature))
    throw_usage("sample_token: temperature is ", filter.temperature,
                ", expected a finite number from 0 (greedy)");
  if (filter.top_k < 0)
    throw_usage("sample_token: top_k is ", filter.top_k, ", expected 0 (off) or more");
  if (!(filter.top_p > 0 && filter.top_p <= 1))
    throw_usage("sample_token: top_p is ", filter.top_p, ", expected above 0, at most 1 (off)");
  if (!(filter.min_p >= 0 && filter.min_p <= 1))
    throw_usage("sample_token: min_p is ", filter.min_p, ", expected 0 (off) .. 1");
}

void check_logits(const at::Tensor& logits, int64_t dim) {
  const at::ScalarType type = logits.scalar_type();
  if (logits.dim() != dim || logits.numel() == 0 ||
      (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf))
    throw_usage("sample_token: logits are ", type, " of shape ", logits.sizes(),
                ", expected float32, bfloat16 or float16 with ", dim, " axes, none empty");
}

void check_uniforms(const std::vector<double>& uniforms, int64_t num_rows) {
  if (static_cast<int64_t>(uniforms.size()) != num_rows)
    throw_usage("sample_token: ", uniforms.size(), " uniforms for ", num_rows,
                " rows, expected one a row");
  for (const double uniform : uniforms)
    if (!(uniform >= 0 && uniform < 1))
      throw_usage("sample_token: a uniform is ", uniform, ", expected 0 <= u < 1");
}

[[noreturn]] void refuse_row(const std::string& place) {
  throw_runtime("sample_token: ", place,
                " has NaN or +inf logits, or none above -inf: nothing can be drawn from it");
}

at::Tensor on_cpu(const at::Tensor& logits) { return logits.to(at::kCPU, at::kFloat).contiguous(); }

// Logits tied with the k-th largest are kept, as Hugging Face does.
void keep_top_k(Row& row, int64_t top_k) {
  std::vector<float> sorted(row.logits, row.logits + row.num_ids);
  std::nth_element(sorted.begin(), sorted.begin() + (top_k - 1), sorted.end(), std::greater<>());
  const float last_kept = sorted[top_k - 1];
  for (int64_t id = 0; id < row.num_ids; ++id)
    if (row.logits[id] < last_kept) row.weights[id] = 0;
}

// Keeps the smallest set whose probability reaches top_p: an id goes when those before it reach it
// already.
void keep_top_p(Row& row, double top_p) {
  std::vector<int64_t> order;
  for (int64_t id = 0; id < row.num_ids; ++id)
    if (row.weights[id] > 0) order.push_back(id);
  double total = 0;
  for (const int64_t id : order) total += row.weights[id];
  const auto before = [&row](int64_t a, int64_t b) {
    return row.logits[a] != row.logits[b] ? row.logits[a] > row.logits[b] : a < b;
  };
  // Sorted in growing pieces: the set is nearly always far smaller than the vocabulary.
  const int64_t num_ids = static_cast<int64_t>(order.size());
  double cumulative = 0;
  int64_t sorted = 0;
  for (int64_t rank = 0; rank < num_ids; ++rank) {
    if (rank == sorted) {
      const int64_t end = std::min(num_ids, 4 * sorted + 256);
      std::partial_sort(order.begin() + sorted, order.begin() + end, order.end(), before);
      sorted = end;
    }
    if (rank > 0 && cumulative >= top_p * total) {
      for (int64_t removed = rank; removed < num_ids; ++removed) row.weights[order[removed]] = 0;
      return;
    }
    cumulative += row.weights[order[rank]];
  }
}

Row open_row(const float* logits, int64_t num_ids, double temperature, const std::string& place) {
  const float inverse_temperature = static_cast<float>(1 / (temperature == 0 ? 1 : temperature));
  Row row{logits, num_ids, inverse_temperature, {}, {}};
  fold_logits(row.softmax, logits, num_ids, inverse_temperature);
  if (!std::isfinite(row.softmax.sum) || row.softmax.sum == 0) refuse_row(place);
  return row;
}

// The largest weight is exactly 1, so min_p times the largest probability is the weight min_p.
void weigh(Row& row, const SamplingFilter& filter) {
  row.weights.resize(row.num_ids);
  softmax_weights(row.logits, row.num_ids, row.softmax.max, row.inverse_temperature,
                  row.weights.data());
  if (filter.top_k > 0 && filter.top_k < row.num_ids) keep_top_k(row, filter.top_k);
  if (filter.top_p < 1) keep_top_p(row, filter.top_p);
  if (filter.min_p > 0)
    for (float& weight : row.weights)
      if (weight < filter.min_p) weight = 0;
}

double total_weight(const Row& row) {
  return std::accumulate(row.weights.begin(), row.weights.end(), 0.0);
}

// Id of the largest logit, the lowest among equals.
int64_t greedy_token(const Row& row) {
  return std::find(row.logits, row.logits + row.num_ids, row.softmax.max) - row.logits;
}

int64_t inverse_transform(const Row& row, double mass) {
  double cumulative = 0;
  int64_t last_kept = 0;
  for (int64_t id = 0; id < row.num_ids; ++id) {
    if (row.weights[id] == 0) continue;
    cumulative += row.weights[id];
    last_kept = id;
    if (cumulative > mass) break;
  }
  return last_kept;
}

void draw(Row& row, const SamplingFilter& filter, double uniform, int64_t place,
          SampledTokens& sampled) {
  int64_t token = 0;
  float filtered_logprob = 0;
  if (filter.temperature == 0) {
    token = greedy_token(row);
  } else {
    weigh(row, filter);
    const double total = total_weight(row);
    token = inverse_transform(row, uniform * total);
    filtered_logprob = static_cast<float>(std::log(row.weights[token] / total));
  }
  const float logprob =
      static_cast<float>(row.softmax.logprob(row.logits[token], row.inverse_temperature));
  const bool unfiltered = filter.temperature > 0 && !filters(filter, row.num_ids);
  sampled.token[place] = token;
  sampled.logprob[place] = logprob;
  sampled.filtered_logprob[place] = unfiltered ? logprob : filtered_logprob;
  sampled.entropy[place] = static_cast<float>(row.softmax.entropy());
}

SampledTokens draw_on_cpu(const at::Tensor& logits_BV, const SamplingFilter& filter,
                          const std::vector<double>& uniforms) {
  const int64_t num_rows = logits_BV.size(0), num_ids = logits_BV.size(1);
  SampledTokens sampled;
  sampled.token.resize(num_rows);
  sampled.logprob.resize(num_rows);
  sampled.filtered_logprob.resize(num_rows);
  sampled.entropy.resize(num_rows);
  const float* logits = logits_BV.const_data_ptr<float>();
  parallel_for(num_rows, std::max<int64_t>(1, kLogitsPerThread / num_ids),
               [&](int64_t begin, int64_t end) {
                 for (int64_t place = begin; place < end; ++place) {
                   Row row = open_row(logits + place * num_ids, num_ids, filter.temperature,
                                      concat("row ", place));
                   draw(row, filter, uniforms[place], place, sampled);
                 }
               });
  return sampled;
}

SampledTokens draw_on_cuda(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms) {
  SampledTokens sampled = cuda_ops::sample_token(logits_BV, filter, uniforms);
  const auto refused = std::find(sampled.token.begin(), sampled.token.end(), -1);
  if (refused != sampled.token.end()) refuse_row(concat("row ", refused - sampled.token.begin()));
  return sampled;
}

}  // namespace

SampledTokens sample_token(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms) {
  check_filter(filter);
  check_logits(logits_BV, 2);
  check_uniforms(uniforms, logits_BV.size(0));
  if (mode() == Mode::kReference)
    return reference::sample_token(on_cpu(logits_BV), filter, uniforms);
  if (logits_BV.is_cuda()) return draw_on_cuda(logits_BV, filter, uniforms);
  return draw_on_cpu(on_cpu(logits_BV), filter, uniforms);
}

std::vector<double> filtered_distribution(const at::Tensor& logits_V,
                                          const SamplingFilter& filter) {
  check_filter(filter);
  check_logits(logits_V, 1);
  const at::Tensor logits = on_cpu(logits_V);
  if (mode() == Mode::kReference) return reference::filtered_distribution(logits, filter);
  const int64_t num_ids = logits.numel();
  Row row = open_row(logits.const_data_ptr<float>(), num_ids, filter.temperature, "the row");
  std::vector<double> probability(num_ids, 0.0);
  if (filter.temperature == 0) {
    probability[greedy_token(row)] = 1;
    return probability;
  }
  weigh(row, filter);
  const double total = total_weight(row);
  for (int64_t id = 0; id < num_ids; ++id) probability[id] = row.weights[id] / total;
  return probability;
}

}  // namespace covrl::kernels
