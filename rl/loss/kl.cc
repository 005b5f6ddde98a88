#include "rl/loss/kl.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace covrl {
namespace {

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
};
constexpr Row kTable[] = {
    {"k1", "kl", k1},
    {"k2", "mse", k2},
    {"k3", "low_var_kl", k3},
    {"abs", nullptr, absolute},
};

}  // namespace

std::vector<std::string> kl_names() {
  std::vector<std::string> names;
  for (const Row& row : kTable) names.emplace_back(row.name);
  for (const Row& row : kTable)
    if (row.verl_name != nullptr) names.emplace_back(row.verl_name);
  return names;
}

at::Tensor kl_term(const std::string& kind, const at::Tensor& logprob_T,
                   const at::Tensor& ref_logprob_T) {
  for (const Row& row : kTable)
    if (kind == row.name || (row.verl_name != nullptr && kind == row.verl_name))
      return row.term(logprob_T - ref_logprob_T);
  throw_usage("KL estimator '", kind, "' is not known (kl_loss_type)");
}

}  // namespace covrl
