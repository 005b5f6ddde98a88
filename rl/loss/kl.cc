#include "rl/loss/kl.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace covrl {
namespace {

using kernels::LogprobPenalty;

at::Tensor k1(const at::Tensor& x) { return x; }
at::Tensor k2(const at::Tensor& x) { return 0.5 * x * x; }
at::Tensor k3(const at::Tensor& x) {
  const at::Tensor exponent = at::clamp(-x, -20.0, 20.0);
  return at::clamp(exponent.exp() - exponent - 1, -10.0, 10.0);
}
at::Tensor absolute(const at::Tensor& x) { return x.abs(); }

struct Row {
  const char* name;
  const char* verl_name;
  at::Tensor (*term)(const at::Tensor& x);
  LogprobPenalty fused;
};
constexpr Row kTable[] = {
    {"k1", "kl", k1, LogprobPenalty::kK1},
    {"k2", "mse", k2, LogprobPenalty::kK2},
    {"k3", "low_var_kl", k3, LogprobPenalty::kK3},
    {"abs", nullptr, absolute, LogprobPenalty::kAbs},
};

bool is_straight_through(const std::string& kind) { return !kind.empty() && kind.back() == '+'; }

const Row& find(const std::string& kind) {
  const std::string form = is_straight_through(kind) ? kind.substr(0, kind.size() - 1) : kind;
  for (const Row& row : kTable)
    if (form == row.name || (row.verl_name != nullptr && form == row.verl_name)) return row;
  throw_usage("KL estimator '", kind, "' is not known (kl_loss_type)");
}

}  // namespace

std::vector<std::string> kl_names() {
  std::vector<std::string> names;
  for (const Row& row : kTable) names.emplace_back(row.name);
  for (const Row& row : kTable)
    if (row.verl_name != nullptr) names.emplace_back(row.verl_name);
  const size_t num_plain = names.size();
  for (size_t i = 0; i < num_plain; ++i) names.push_back(names[i] + '+');
  return names;
}

at::Tensor kl_term(const std::string& kind, const at::Tensor& logprob_T,
                   const at::Tensor& ref_logprob_T) {
  const at::Tensor x = logprob_T - ref_logprob_T, term = find(kind).term(x);
  if (!is_straight_through(kind)) return term;
  const at::Tensor carrier = k2(x);
  return term.detach() + (carrier - carrier.detach());
}

void fuse_kl(const std::string& kind, double coefficient, kernels::PolicyLossTerms& terms) {
  terms.kl = coefficient;
  terms.kl_penalty = find(kind).fused;
  terms.kl_straight_through = is_straight_through(kind);
}

}  // namespace covrl
