#include "rl/loss/kl.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

TEST(KlTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "kl_penalty");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path))
    for (const char* source : {"fork", "verl"})
      for (const auto& [kind, wanted] : one_case[source].items()) {
        const at::Tensor logprob =
            testing::vector_tensor(one_case["logprob"], testing::vector_dtype(one_case))
                .requires_grad_();
        const at::Tensor reference =
            testing::vector_tensor(one_case["ref_logprob"], testing::vector_dtype(one_case));
        const at::Tensor all = at::ones(logprob.sizes(), at::kBool);
        const at::Tensor term = kl_term(kind, logprob, reference);
        term.sum().backward();
        const std::string what =
            concat(one_case["name"].get<std::string>(), ' ', source, ' ', kind);
        const testing::Tolerance tolerance = testing::vector_tolerance(one_case);
        testing::expect_close(term, testing::vector_tensor(wanted["kld"]), all, tolerance, what);
        testing::expect_close(logprob.grad(), testing::vector_tensor(wanted["grad"]), all,
                              tolerance, what + " gradient");
        ++num_checked;
      }
  EXPECT_GT(num_checked, 0);
  std::cout << "kl_penalty: " << num_checked << " results checked\n";
}

TEST(KlTest, IsZeroWithoutDifference) {
  const at::Tensor logprob = at::tensor({-0.3, -5.0, 0.0}, at::kDouble);
  for (const std::string& name : kl_names())
    EXPECT_TRUE(kl_term(name, logprob, logprob).equal(at::zeros(3, at::kDouble))) << name;
}

TEST(KlTest, OtherNamesMeanTheSame) {
  const at::Tensor logprob = at::tensor({-0.3, -5.0}, at::kDouble),
                   reference = at::tensor({-0.9, -2.0}, at::kDouble);
  for (const auto& [name, other] : std::vector<std::pair<std::string, std::string>>{
           {"k1", "kl"}, {"k2", "mse"}, {"k3", "low_var_kl"}})
    EXPECT_TRUE(kl_term(name, logprob, reference).equal(kl_term(other, logprob, reference)));
  EXPECT_THROW(kl_term("k4", logprob, reference), Error);
}

}  // namespace
}  // namespace covrl
