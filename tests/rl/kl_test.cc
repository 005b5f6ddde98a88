#include "rl/loss/kl.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

// Value and gradient of estimator `kind` on the log-probs of a case.
void check(const Json& one_case, const std::string& kind, const Json& value, const Json& gradient,
           const std::string& what) {
  const at::ScalarType dtype = testing::vector_dtype(one_case);
  const at::Tensor logprob = testing::vector_tensor(one_case["logprob"], dtype).requires_grad_();
  const at::Tensor reference = testing::vector_tensor(one_case["ref_logprob"], dtype);
  const at::Tensor all = at::ones(logprob.sizes(), at::kBool);
  const at::Tensor term = kl_term(kind, logprob, reference);
  term.sum().backward();
  const testing::Tolerance tolerance = testing::vector_tolerance(one_case);
  testing::expect_close(term, testing::vector_tensor(value), all, tolerance, what);
  testing::expect_close(logprob.grad(), testing::vector_tensor(gradient), all, tolerance,
                        what + " gradient");
}

TEST(KlTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "kl_penalty");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const std::string name = one_case["name"].get<std::string>();
    for (const char* source : {"fork", "verl"})
      for (const auto& [kind, wanted] : one_case[source].items()) {
        check(one_case, kind, wanted["kld"], wanted["grad"], concat(name, ' ', source, ' ', kind));
        ++num_checked;
      }
    for (const auto& [kind, wanted] : one_case["verl_straight_through"].items()) {
      check(one_case, kind, wanted["intended_kld"], wanted["intended_grad"],
            concat(name, ' ', kind));
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "kl_penalty: " << num_checked << " results checked\n";
}

TEST(KlTest, EqualsTheLaterReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "verl_latest");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case["kind"] != "kl_penalty") continue;
    for (const auto& [kind, wanted] : one_case["results"].items()) {
      check(one_case, kind, wanted["kld"], wanted["grad"],
            concat(one_case["name"].get<std::string>(), ' ', kind));
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "verl_latest, kl_penalty: " << num_checked << " results checked\n";
}

TEST(KlTest, StraightThroughHasTheGradientOfK2AtAnyDistance) {
  for (const std::string& name : kl_names()) {
    if (name.back() != '+') continue;
    const at::Tensor logprob = at::tensor({-0.1, -40.0, -3.0}, at::kDouble).requires_grad_(),
                     reference = at::tensor({-60.0, -0.5, -3.0}, at::kDouble);
    const at::Tensor term = kl_term(name, logprob, reference);
    EXPECT_TRUE(at::allclose(term, kl_term(name.substr(0, name.size() - 1), logprob, reference)));
    term.sum().backward();
    EXPECT_TRUE(at::allclose(logprob.grad(), (logprob - reference).detach(), 1e-14)) << name;
  }
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
           {"k1", "kl"}, {"k2", "mse"}, {"k3", "low_var_kl"}, {"k1+", "kl+"}, {"k2+", "mse+"}})
    EXPECT_TRUE(kl_term(name, logprob, reference).equal(kl_term(other, logprob, reference)));
  EXPECT_THROW(kl_term("k4", logprob, reference), Error);
}

}  // namespace
}  // namespace covrl
