#include "kernels/sample_token.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "kernels/cuda_ops.h"
#include "kernels/mode.h"
#include "kernels/parallel.h"
#include "kernels/reference_logprob.h"
#include "kernels/softmax_row.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kLogitsPerThread = 32768;  // fewer are not worth waking a thread for
constexpr int64_t kBlock = 64;               // ids that are looked at, or skipped, together

// One row and its statistics at the filter's temperature.
struct Row {
  const float* logits;
  int64_t num_ids;
  float inverse_temperature;
  SoftmaxRow softmax;
};

// The ids that are left, in order, and their weights exp((z - max) / temperature). Sums of weights
// go in order of id.
struct Kept {
  std::vector<int64_t> ids;  // empty: every id
  std::vector<float> weights;

  int64_t size() const { return static_cast<int64_t>(weights.size()); }
  int64_t id(int64_t place) const { return ids.empty() ? place : ids[place]; }
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

void keep_all(const Row& row, Kept& kept) {
  kept.ids.clear();
  kept.weights.resize(row.num_ids);
  softmax_weights(row.logits, row.num_ids, row.softmax.max, row.inverse_temperature,
                  kept.weights.data());
}

std::vector<float> block_maxima(const Row& row) {
  std::vector<float> maxima;
  for (int64_t begin = 0; begin < row.num_ids; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, row.num_ids);
    maxima.push_back(*std::max_element(row.logits + begin, row.logits + end));
  }
  return maxima;
}

float kth_largest(std::vector<float> values, int64_t k) {
  std::nth_element(values.begin(), values.begin() + (k - 1), values.end(), std::greater<>());
  return values[k - 1];
}

// Ids of logits from `lowest` up.
std::vector<int64_t> ids_from(const Row& row, const std::vector<float>& maxima, float lowest) {
  std::vector<int64_t> ids;
  for (int64_t block = 0; block < static_cast<int64_t>(maxima.size()); ++block) {
    if (maxima[block] < lowest) continue;
    const int64_t end = std::min((block + 1) * kBlock, row.num_ids);
    for (int64_t id = block * kBlock; id < end; ++id)
      if (row.logits[id] >= lowest) ids.push_back(id);
  }
  return ids;
}

std::vector<float> logits_of(const Row& row, const std::vector<int64_t>& ids) {
  std::vector<float> logits;
  for (const int64_t id : ids) logits.push_back(row.logits[id]);
  return logits;
}

// Logits tied with the k-th largest are kept, as Hugging Face does. That one is no smaller than the
// k-th largest of the blocks' maxima.
void keep_top_k(const Row& row, int64_t top_k, Kept& kept) {
  const std::vector<float> maxima = block_maxima(row);
  const float bound = top_k <= static_cast<int64_t>(maxima.size())
                          ? kth_largest(maxima, top_k)
                          : -std::numeric_limits<float>::infinity();
  const float last_kept = kth_largest(logits_of(row, ids_from(row, maxima, bound)), top_k);
  kept.ids = ids_from(row, maxima, last_kept);
  const std::vector<float> logits = logits_of(row, kept.ids);
  kept.weights.resize(logits.size());
  softmax_weights(logits.data(), kept.size(), row.softmax.max, row.inverse_temperature,
                  kept.weights.data());
}

template <class Keep>
void keep_if(Kept& kept, const Keep& keep) {
  std::vector<int64_t> ids;
  std::vector<float> weights;
  for (int64_t place = 0; place < kept.size(); ++place) {
    if (!keep(place)) continue;
    ids.push_back(kept.id(place));
    weights.push_back(kept.weights[place]);
  }
  kept.ids = std::move(ids);
  kept.weights = std::move(weights);
}

double total_weight(const Kept& kept) {
  return std::accumulate(kept.weights.begin(), kept.weights.end(), 0.0);
}

// A place and its logit in one integer: larger logits are smaller, equal ones in order of place.
uint64_t rank_key(float logit, int64_t place) {
  const uint32_t bits = std::bit_cast<uint32_t>(logit + 0.0f);  // -0 and 0 are equal
  const uint32_t falling = bits >> 31 ? bits : ~(bits | 0x80000000u);
  return uint64_t{falling} << 32 | static_cast<uint32_t>(place);
}

// Keeps the smallest set whose probability reaches top_p: an id goes when those before it reach it
// already. What weighs less than half of (1 - top_p) / V of the total is never needed to reach it,
// but for roundings: then `lightest` 0 leaves out nothing. False: not reached.
bool keep_top_p(const Row& row, double reached, float lightest, Kept& kept) {
  std::vector<uint64_t> order;
  for (int64_t place = 0; place < kept.size(); ++place)
    if (kept.weights[place] > lightest)
      order.push_back(rank_key(row.logits[kept.id(place)], place));
  // Sorted in growing pieces: the set is nearly always far smaller than the vocabulary.
  const int64_t num_ids = static_cast<int64_t>(order.size());
  double cumulative = 0;
  int64_t sorted = 0, rank = 0;
  for (; rank == 0 || cumulative < reached; ++rank) {
    if (rank == num_ids) return false;
    if (rank == sorted) {
      sorted = std::min(num_ids, 4 * sorted + 256);
      std::nth_element(order.begin() + rank, order.begin() + (sorted - 1), order.end());
      std::sort(order.begin() + rank, order.begin() + sorted);
    }
    cumulative += kept.weights[static_cast<uint32_t>(order[rank])];
  }
  std::vector<bool> in_set(kept.weights.size());
  for (int64_t i = 0; i < rank; ++i) in_set[static_cast<uint32_t>(order[i])] = true;
  keep_if(kept, [&](int64_t place) { return in_set[place]; });
  return true;
}

void keep_top_p(const Row& row, double top_p, Kept& kept) {
  const double total = total_weight(kept);
  const auto lightest =
      static_cast<float>(0.5 * (1 - top_p) * total / static_cast<double>(row.num_ids));
  if (!keep_top_p(row, top_p * total, lightest, kept))
    keep_top_p(row, top_p * total, /*lightest=*/0, kept);
}

Row open_row(const float* logits, int64_t num_ids, double temperature, const std::string& place) {
  const float inverse_temperature = static_cast<float>(1 / (temperature == 0 ? 1 : temperature));
  Row row{logits, num_ids, inverse_temperature, {}};
  fold_logits(row.softmax, logits, num_ids, inverse_temperature);
  if (!std::isfinite(row.softmax.sum) || row.softmax.sum == 0) refuse_row(place);
  return row;
}

// The largest weight is exactly 1, so min_p times the largest probability is the weight min_p.
void apply_filter(const Row& row, const SamplingFilter& filter, Kept& kept) {
  if (filter.top_k > 0 && filter.top_k < row.num_ids) {
    keep_top_k(row, filter.top_k, kept);
  } else {
    keep_all(row, kept);
  }
  if (filter.top_p < 1) keep_top_p(row, filter.top_p, kept);
  if (filter.min_p > 0)
    keep_if(kept, [&](int64_t place) { return kept.weights[place] >= filter.min_p; });
}

// Id of the largest logit, the lowest among equals.
int64_t greedy_token(const Row& row) {
  return std::find(row.logits, row.logits + row.num_ids, row.softmax.max) - row.logits;
}

// The place of the id at which the sum of weights exceeds `mass`; the last of weight above 0 where
// rounding leaves none.
int64_t inverse_transform(const Kept& kept, double mass) {
  double cumulative = 0;
  int64_t last = 0;
  for (int64_t place = 0; place < kept.size(); ++place) {
    if (kept.weights[place] == 0) continue;
    cumulative += kept.weights[place];
    last = place;
    if (cumulative > mass) break;
  }
  return last;
}

void draw(const Row& row, const SamplingFilter& filter, double uniform, Kept& kept, int64_t place,
          SampledTokens& sampled) {
  int64_t token = 0;
  float filtered_logprob = 0;
  if (filter.temperature == 0) {
    token = greedy_token(row);
  } else {
    apply_filter(row, filter, kept);
    const double total = total_weight(kept);
    const int64_t drawn = inverse_transform(kept, uniform * total);
    token = kept.id(drawn);
    filtered_logprob = static_cast<float>(std::log(kept.weights[drawn] / total));
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
                 Kept kept;
                 for (int64_t place = begin; place < end; ++place) {
                   const Row row = open_row(logits + place * num_ids, num_ids, filter.temperature,
                                            concat("row ", place));
                   draw(row, filter, uniforms[place], kept, place, sampled);
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
  RECORD_USER_SCOPE("sample_token");
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
  const Row row = open_row(logits.const_data_ptr<float>(), num_ids, filter.temperature, "the row");
  std::vector<double> probability(num_ids, 0.0);
  if (filter.temperature == 0) {
    probability[greedy_token(row)] = 1;
    return probability;
  }
  Kept kept;
  apply_filter(row, filter, kept);
  const double total = total_weight(kept);
  for (int64_t place = 0; place < kept.size(); ++place)
    probability[kept.id(place)] = kept.weights[place] / total;
  return probability;
}

}  // namespace covrl::kernels
