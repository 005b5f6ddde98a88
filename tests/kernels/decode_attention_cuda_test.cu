#include "kernels/decode_attention_cuda.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

struct Shape {
  int64_t query_heads, key_heads, head_size, page_size;
  std::vector<int32_t> lengths;
};

// Pages in random order with unused ones between them, full of NaN; entries past a sequence's pages
// point nowhere.
template <class T>
struct Problem {
  explicit Problem(const Shape& shape)
      : shape(shape), scale(1 / std::sqrt(float(shape.head_size))) {
    const int32_t longest = *std::max_element(shape.lengths.begin(), shape.lengths.end());
    max_pages = pages_of(longest) + 1;
    int64_t used = 0;
    for (const int32_t length : shape.lengths) used += pages_of(length);
    std::vector<int32_t> ids(2 * used + 1);
    std::iota(ids.begin(), ids.end(), 0);
    std::shuffle(ids.begin(), ids.end(), std::mt19937(4));
    const int64_t row = shape.key_heads * shape.head_size, page = shape.page_size * row;
    k.assign(ids.size() * page, static_cast<T>(NAN));
    v = k;
    table.assign(shape.lengths.size() * max_pages, 1 << 30);
    size_t next = 0;
    for (size_t n = 0; n < shape.lengths.size(); ++n) {
      for (int64_t key = 0; key < shape.lengths[n]; ++key) {
        if (key % shape.page_size == 0) table[n * max_pages + key / shape.page_size] = ids[next++];
        const auto fill = [&](std::vector<T>& cache, unsigned seed) {
          const Stored<T> values = random_values<T>(row, 1, seed + 1000 * n + key);
          std::copy(values.values.begin(), values.values.end(), cache.begin() + place(n, key, 0));
        };
        fill(k, 1);
        fill(v, 500000);
      }
    }
    q = random_values<T>(shape.lengths.size() * shape.query_heads * shape.head_size, 2, 9).values;
  }

  int64_t pages_of(int64_t length) const {
    return (length + shape.page_size - 1) / shape.page_size;
  }
  // Of a key's first element in the cache.
  int64_t place(int64_t sequence, int64_t key, int64_t key_head) const {
    const int64_t page = table[sequence * max_pages + key / shape.page_size];
    return ((page * shape.page_size + key % shape.page_size) * shape.key_heads + key_head) *
           shape.head_size;
  }

  Shape shape;
  float scale;
  int64_t max_pages;
  std::vector<T> q, k, v;
  std::vector<int32_t> table;
};

// One head of one sequence in the precision Real.
template <class Real, class T>
std::vector<Real> attend(const Problem<T>& p, int64_t sequence, int64_t head) {
  const int64_t size = p.shape.head_size;
  const int64_t key_head = head / (p.shape.query_heads / p.shape.key_heads);
  const T* q = p.q.data() + (sequence * p.shape.query_heads + head) * size;
  std::vector<Real> scores(p.shape.lengths[sequence]), output(size);
  for (size_t key = 0; key < scores.size(); ++key) {
    const T* k = p.k.data() + p.place(sequence, key, key_head);
    for (int64_t i = 0; i < size; ++i)
      scores[key] += static_cast<Real>(static_cast<float>(q[i])) * static_cast<float>(k[i]);
    scores[key] *= static_cast<Real>(p.scale);
  }
  const Real max = *std::max_element(scores.begin(), scores.end());
  Real sum = 0;
  for (size_t key = 0; key < scores.size(); ++key) {
    const T* v = p.v.data() + p.place(sequence, key, key_head);
    const Real weight = std::exp(scores[key] - max);
    sum += weight;
    for (int64_t i = 0; i < size; ++i) output[i] += weight * static_cast<float>(v[i]);
  }
  for (Real& value : output) value /= sum;
  return output;
}

template <class T>
std::vector<float> run(const Problem<T>& p) {
  DeviceBuffer<T> q(p.q), k(p.k), v(p.v), output(p.q.size());
  DeviceBuffer<int32_t> table(p.table), lengths(p.shape.lengths);
  DecodeAttentionForward s;
  s.q_BQd = q.data();
  s.k_PSHd = k.data();
  s.v_PSHd = v.data();
  s.output_BQd = output.data();
  s.type = kType<T>;
  s.block_table_BM = table.data();
  s.lengths_B = lengths.data();
  s.batch = static_cast<int64_t>(p.shape.lengths.size());
  s.max_pages = p.max_pages;
  s.page_size = p.shape.page_size;
  s.query_heads = p.shape.query_heads;
  s.key_heads = p.shape.key_heads;
  s.head_size = p.shape.head_size;
  s.scale = p.scale;
  DeviceBuffer<float> partial(std::max<int64_t>(1, decode_attention_partial(s)));
  s.partial = partial.data();
  check_cuda(decode_attention_cuda(s, nullptr));
  return to_floats(output.host());
}

// At most twice the error of the plain float32 loop, and one rounding to storage.
template <class T>
void expect_matches_double(const Shape& shape) {
  const Problem<T> problem(shape);
  const std::vector<float> output = run(problem);
  std::vector<double> exact;
  double naive_error = 0;
  for (size_t n = 0; n < shape.lengths.size(); ++n) {
    for (int64_t head = 0; head < shape.query_heads; ++head) {
      const std::vector<double> row = attend<double>(problem, n, head);
      const std::vector<float> naive = attend<float>(problem, n, head);
      for (size_t i = 0; i < row.size(); ++i)
        naive_error = std::max(naive_error, std::abs(naive[i] - row[i]));
      exact.insert(exact.end(), row.begin(), row.end());
    }
  }
  ASSERT_EQ(output.size(), exact.size());
  for (size_t i = 0; i < exact.size(); ++i)
    ASSERT_NEAR(output[i], exact[i], 2 * naive_error + rounding_error<T>(exact[i]))
        << "Q " << shape.query_heads << " H " << shape.key_heads << " d " << shape.head_size
        << " S " << shape.page_size << " at " << i;
}

template <class T>
class DecodeAttentionCuda : public ::testing::Test {};
TYPED_TEST_SUITE(DecodeAttentionCuda, StorageTypes);

TYPED_TEST(DecodeAttentionCuda, GroupsHeadSizesAndPageSizes) {
  COVRL_REQUIRE_DEVICE();
  for (const Shape& shape :
       {Shape{1, 1, 1, 1, {1, 3}}, Shape{2, 2, 64, 16, {1, 15, 16, 17}},
        Shape{4, 2, 128, 16, {31, 32, 33}}, Shape{7, 1, 64, 16, {5, 100}},
        Shape{model_shape::kHeads, model_shape::kKeyHeads, model_shape::kHeadSize, 7, {20, 1}},
        Shape{9, 1, 16, 4, {40}}, Shape{3, 3, 5, 3, {2, 10, 11}}, Shape{2, 1, 80, 5, {29}},
        Shape{2, 1, 256, 16, {19}}, Shape{2, 1, 255, 16, {19}}, Shape{33, 1, 8, 16, {50}}})
    expect_matches_double<TypeParam>(shape);
}

TYPED_TEST(DecodeAttentionCuda, SplitsOfLongSequences) {
  COVRL_REQUIRE_DEVICE();
  for (const Shape& shape : {Shape{4, 2, 32, 16, {255, 256, 257, 1}},
                             Shape{2, 1, 64, 17, {700, 512, 3, 1025}}, Shape{7, 1, 33, 1, {513}}})
    expect_matches_double<TypeParam>(shape);
}

TYPED_TEST(DecodeAttentionCuda, SequenceHasTheSameBitsAloneAndInABatch) {
  COVRL_REQUIRE_DEVICE();
  const Problem<TypeParam> batch({4, 2, 64, 16, {200, 256, 300, 900}});
  const std::vector<float> together = run(batch);
  const size_t row = 4 * 64;
  for (size_t n = 0; n < 4; ++n) {
    Problem<TypeParam> alone = batch;
    alone.shape.lengths = {batch.shape.lengths[n]};
    alone.max_pages = batch.pages_of(batch.shape.lengths[n]);
    alone.q.assign(batch.q.begin() + n * row, batch.q.begin() + (n + 1) * row);
    alone.table.assign(batch.table.begin() + n * batch.max_pages,
                       batch.table.begin() + n * batch.max_pages + alone.max_pages);
    EXPECT_EQ(run(alone),
              std::vector<float>(together.begin() + n * row, together.begin() + (n + 1) * row));
  }
}

TYPED_TEST(DecodeAttentionCuda, OneKeyGivesItsValue) {
  COVRL_REQUIRE_DEVICE();
  const Problem<TypeParam> problem({6, 2, 48, 16, {1}});
  const std::vector<float> output = run(problem);
  for (int64_t head = 0; head < 6; ++head)
    for (int64_t i = 0; i < 48; ++i)
      EXPECT_EQ(output[head * 48 + i],
                static_cast<float>(problem.v[problem.place(0, 0, head / 3) + i]));
}

TEST(DecodeAttentionCudaSizes, NothingToDoIsSuccessAndBadSizesAreRefused) {
  COVRL_REQUIRE_DEVICE();
  DecodeAttentionForward s;
  EXPECT_EQ(decode_attention_cuda(s, nullptr), cudaSuccess);
  s.batch = 1;
  EXPECT_EQ(decode_attention_cuda(s, nullptr), cudaErrorInvalidValue);  // no page
  s.max_pages = 2;
  s.head_size = 257;
  EXPECT_EQ(decode_attention_cuda(s, nullptr), cudaErrorInvalidValue);
  s.head_size = 8;
  s.key_heads = 2;
  s.query_heads = 3;
  EXPECT_EQ(decode_attention_cuda(s, nullptr), cudaErrorInvalidValue);
  s.query_heads = 4;
  s.page_size = 200;
  EXPECT_EQ(decode_attention_partial(s), 4 * 2 * (8 + 2));
  EXPECT_EQ(decode_attention_cuda(s, nullptr), cudaErrorInvalidValue);  // no memory for the splits
}

}  // namespace
}  // namespace covrl::kernels
