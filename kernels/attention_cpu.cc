#include "kernels/attention_cpu.h"

#include <algorithm>

#include "kernels/attention_block.h"
#include "kernels/float_buffer.h"
#include "kernels/gemm_cpu.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

static_assert(kQueryBlock <= kDepthBlock);

// One sequence and key head.
struct Task {
  const CpuKernels& kernels;
  const HeadShape& shape;
  int64_t start, length;  // tokens
  int64_t key_head;

  int64_t key_offset() const { return start * shape.key_width() + key_head * shape.size; }
  int64_t query_offset(int64_t head, int64_t row) const {
    return (start + row) * shape.query_width() + head * shape.size;
  }
  int64_t statistics_offset(int64_t head, int64_t row) const {
    return (start + row) * shape.query_heads + head;
  }
  MatrixView rows(const float* x) const {
    return {x + key_offset(), shape.key_width(), 1};
  }  // [length, size]
  MatrixView transposed(const float* x) const {
    return {x + key_offset(), 1, shape.key_width()};
  }  // [size, length]
};

// Threads take runs of sequences of the same head, so that ragged sequences spread evenly.
template <class Body>
void for_each_task(const HeadShape& shape, const PackedSequences& sequences, const Body& body) {
  const CpuKernels& kernels = cpu_kernels();
  parallel_for(shape.key_heads * sequences.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t start = sequences.cu_seqlens[index % sequences.count];
      const int64_t length = sequences.cu_seqlens[index % sequences.count + 1] - start;
      if (length > 0) body(Task{kernels, shape, start, length, index / sequences.count});
    }
  });
}

const float* pack(const CpuKernels& kernels, FloatBuffer& buffer, const MatrixView& b,
                  int64_t depth, int64_t columns) {
  float* panels = buffer.reserve(packed_size(kernels, depth, columns));
  pack_panels(kernels, b, depth, columns, panels);
  return panels;
}

// Calls body(query head, block of queries, first row) for the query heads of a task.
template <class Body>
void for_each_block(const Task& task, const float* q, const Body& body) {
  const int64_t group = task.shape.group();
  for (int64_t head = task.key_head * group; head < (task.key_head + 1) * group; ++head) {
    for (int64_t row = 0; row < task.length; row += kQueryBlock) {
      QueryBlock block;
      block.q = q + task.query_offset(head, row);
      block.stride = task.shape.query_width();
      block.rows = std::min(kQueryBlock, task.length - row);
      block.first_length = row + 1;
      body(head, block, row);
    }
  }
}

void forward_task(const Task& task, const AttentionForward& tensors) {
  thread_local FloatBuffer keys, values;
  const int64_t size = task.shape.size;
  PackedHead packed{task.kernels, size, task.length, task.shape.scale};
  packed.keys = pack(task.kernels, keys, task.transposed(tensors.k), size, task.length);
  packed.values = pack(task.kernels, values, task.rows(tensors.v), task.length, size);
  for_each_block(task, tensors.q, [&](int64_t head, const QueryBlock& block, int64_t row) {
    BlockOutput result;
    result.output = tensors.output + task.query_offset(head, row);
    result.statistics_stride = task.shape.query_heads;
    if (tensors.max) {
      result.max = tensors.max + task.statistics_offset(head, row);
      result.inverse_sum = tensors.inverse_sum + task.statistics_offset(head, row);
    }
    attend_block(packed, block, result);
  });
}

struct BackwardBuffers {
  FloatBuffer keys, values, key_rows, queries, grad_outputs, scores, gradients;
};

// With weights p and their gradients g = grad_output . v: ds = p (g - sum p g) scale, grad_q = ds
// k, grad_k = ds^T q, grad_v = p^T grad_output; sum p g = output . grad_output.
class BackwardTask {
 public:
  BackwardTask(const Task& task, const AttentionBackward& tensors)
      : task_(task),
        tensors_(tensors),
        packed_{task.kernels, task.shape.size, task.length, task.shape.scale} {
    const int64_t size = task.shape.size;
    packed_.keys =
        pack(task.kernels, buffers().keys, task.transposed(tensors.k), size, task.length);
    values_ = pack(task.kernels, buffers().values, task.transposed(tensors.v), size, task.length);
    key_rows_ = pack(task.kernels, buffers().key_rows, task.rows(tensors.k), task.length, size);
  }

  void run() {
    for (int64_t key = 0; key < task_.length; ++key) {
      const int64_t offset = task_.key_offset() + key * task_.shape.key_width();
      std::fill_n(tensors_.grad_k + offset, task_.shape.size, 0.0f);
      std::fill_n(tensors_.grad_v + offset, task_.shape.size, 0.0f);
    }
    for_each_block(task_, tensors_.q, [&](int64_t head, const QueryBlock& block, int64_t row) {
      run_block(head, block, row);
    });
  }

 private:
  static BackwardBuffers& buffers() {
    thread_local BackwardBuffers buffers;
    return buffers;
  }

  void run_block(int64_t head, const QueryBlock& block, int64_t row) {
    const int64_t offset = task_.query_offset(head, row), stride = block.scores_stride();
    float* weights = buffers().scores.reserve(block.rows * stride);
    float* gradients = buffers().gradients.reserve(block.rows * stride);
    QueryBlock grad_output = block;
    grad_output.q = tensors_.grad_output + offset;
    PackedHead values = packed_;
    values.keys = values_;
    score_block(packed_, block, weights);
    score_block(values, grad_output, gradients);
    differentiate_softmax(head, block, row, weights, gradients);
    multiply_deep(task_.kernels, {.a = gradients,
                                  .a_row_stride = stride,
                                  .b = key_rows_,
                                  .b_panel_stride = task_.length * task_.kernels.panel_width,
                                  .c = tensors_.grad_q + offset,
                                  .c_row_stride = block.stride,
                                  .rows = block.rows,
                                  .columns = task_.shape.size,
                                  .depth = block.num_keys()});
    add_to_keys(block, weights, grad_output.q, buffers().grad_outputs, tensors_.grad_v);
    add_to_keys(block, gradients, block.q, buffers().queries, tensors_.grad_k);
  }

  void differentiate_softmax(int64_t head, const QueryBlock& block, int64_t row, float* weights,
                             float* gradients) {
    const int64_t offset = task_.query_offset(head, row), stride = block.scores_stride();
    for (int64_t i = 0; i < block.rows; ++i) {
      const int64_t statistics = task_.statistics_offset(head, row + i);
      SoftmaxGradient softmax{task_.shape.scale, tensors_.max[statistics],
                              tensors_.inverse_sum[statistics]};
      softmax.mean_gradient =
          task_.kernels.dot(tensors_.output + offset + i * block.stride,
                            tensors_.grad_output + offset + i * block.stride, task_.shape.size);
      task_.kernels.softmax_backward(weights + i * stride, gradients + i * stride, block.length(i),
                                     block.num_keys(), softmax);
    }
  }

  // total [keys, size] += factors^T x, with factors [rows, keys] and x [rows, size].
  void add_to_keys(const QueryBlock& block, const float* factors, const float* x,
                   FloatBuffer& buffer, float* total) {
    const float* panels =
        pack(task_.kernels, buffer, {x, block.stride, 1}, block.rows, task_.shape.size);
    task_.kernels.multiply({.a = factors,
                            .a_row_stride = 1,
                            .a_depth_stride = block.scores_stride(),
                            .b = panels,
                            .b_panel_stride = block.rows * task_.kernels.panel_width,
                            .c = total + task_.key_offset(),
                            .c_row_stride = task_.shape.key_width(),
                            .rows = block.num_keys(),
                            .columns = task_.shape.size,
                            .depth = block.rows,
                            .accumulate = true});
  }

  const Task& task_;
  const AttentionBackward& tensors_;
  PackedHead packed_;
  const float* values_;    // [key panels][size][panel_width]
  const float* key_rows_;  // [size panels][keys][panel_width]
};

}  // namespace

void attention_cpu(const HeadShape& shape, const PackedSequences& sequences,
                   const AttentionForward& tensors) {
  for_each_task(shape, sequences, [&](const Task& task) { forward_task(task, tensors); });
}

void attention_backward_cpu(const HeadShape& shape, const PackedSequences& sequences,
                            const AttentionBackward& tensors) {
  for_each_task(shape, sequences, [&](const Task& task) { BackwardTask(task, tensors).run(); });
}

}  // namespace covrl::kernels
