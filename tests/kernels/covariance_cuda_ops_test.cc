// Covariance and its selections on tensors of a CUDA device: those of the CPU, to the bit, and
// without the host in between.
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/covariance.h"
#include "kernels/token_policy_loss.h"
#include "tests/kernels/cuda_tensors.h"
#include "tests/kernels/op_check.h"

namespace covrl::kernels {
namespace {

using testing::there;

class CovarianceCudaOps : public testing::OnCudaTensors {};

// Values with many ties, nothing but NaN outside the mask.
CovarianceInput make_input(int64_t count, double share_inside) {
  at::manual_seed(count);
  CovarianceInput input;
  input.mask_T = at::rand({count}) < share_inside;
  const auto column = [&](const at::Tensor& values) {
    return at::where(input.mask_T, values, std::nan("")).to(at::kFloat);
  };
  input.logprob_T = column((at::randn({count}) * 8).round() / 8);
  input.advantage_T = column(at::randint(3, {count}) - 0.7);
  const at::Tensor order = at::randperm(count);
  for (int64_t t = 0; t < count; ++t)
    input.ids.append(order.const_data_ptr<int64_t>()[t] * ((int64_t{1} << 33) + 7), 1);
  return input;
}

CovarianceInput there(const CovarianceInput& input) {
  CovarianceInput result{
      there(input.logprob_T), there(input.advantage_T), there(input.mask_T), {}, {}};
  result.id_T = there(at::tensor(input.ids.column(), at::kLong));
  return result;
}

std::vector<int64_t> sorted(std::vector<int64_t> places) {
  std::sort(places.begin(), places.end());
  return places;
}

void expect_same(const CovarianceSelection& seen, const CovarianceSelection& expected,
                 const std::string& what) {
  EXPECT_TRUE(seen.mask_T().is_cuda());
  EXPECT_TRUE(seen.mask_T().cpu().equal(expected.mask_T())) << what;
  EXPECT_EQ(seen.on_host().places, sorted(expected.on_host().places)) << what;
  EXPECT_EQ(seen.on_host().num_candidates, expected.on_host().num_candidates) << what;
}

TEST_F(CovarianceCudaOps, MomentsValuesAndSelectionsAreThoseOfTheCpu) {
  for (const int64_t count : {0, 1, 7, 257, 4099})
    for (const double share : {0.0, 0.7, 1.0}) {
      const std::string what = concat(count, " tokens, inside ", share);
      const CovarianceInput here = make_input(count, share), input = there(here);
      const CovarianceMoments expected = covariance_moments(here), seen = covariance_moments(input);
      EXPECT_EQ(seen.count, expected.count) << what;
      EXPECT_EQ(seen.mean_logprob, expected.mean_logprob) << what;
      EXPECT_EQ(seen.mean_advantage, expected.mean_advantage) << what;
      EXPECT_TRUE(covariance(input).cpu().equal(covariance(here))) << what;
      CovarianceBand band{0.1, 1.5, at::rand({count}) < 0.2};
      CovarianceBand band_there{0.1, 1.5, there(band.excluded_T)};
      for (const int64_t number : {int64_t{0}, int64_t{1}, count / 50, count / 3, count + 3}) {
        expect_same(select_largest_covariance(input, number),
                    select_largest_covariance(here, number), concat(what, ", largest ", number));
        expect_same(select_in_covariance_band(input, band_there, number, 9, 4),
                    select_in_covariance_band(here, band, number, 9, 4),
                    concat(what, ", band ", number));
      }
    }
}

TEST_F(CovarianceCudaOps, NothingIsSelectedWhereNoTokenHasACovariance) {
  CovarianceInput here = make_input(300, 1);
  here.advantage_T.fill_(0.1);
  expect_same(select_largest_covariance(there(here), 7), select_largest_covariance(here, 7),
              "equal advantages");
  EXPECT_EQ(select_largest_covariance(there(here), 7).on_host().num_candidates, 0);
}

TEST_F(CovarianceCudaOps, ColumnsOfTwoDevicesAreRefused) {
  CovarianceInput input = there(make_input(5, 1));
  input.mask_T = input.mask_T.cpu();
  try {
    select_largest_covariance(input, 1);
    FAIL() << "the mask is on the host";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("mask is Bool of shape [5] on cpu"), std::string::npos)
        << error.what();
  }
}

// What a stream is asked to do between begin() and end(), to be done later: the host can wait for
// nothing meanwhile.
class Recording {
 public:
  Recording() : stream_(c10::cuda::getStreamFromPool()), guard_(stream_) {
    EXPECT_EQ(cudaStreamBeginCapture(stream_.stream(), cudaStreamCaptureModeRelaxed), cudaSuccess);
  }
  void play() {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t steps = nullptr;
    ASSERT_EQ(cudaStreamEndCapture(stream_.stream(), &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&steps, graph, 0), cudaSuccess);
    ASSERT_EQ(cudaGraphLaunch(steps, stream_.stream()), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream_.stream()), cudaSuccess);
    cudaGraphExecDestroy(steps);
    cudaGraphDestroy(graph);
  }

 private:
  c10::cuda::CUDAStream stream_;
  c10::cuda::CUDAStreamGuard guard_;
};

struct Outcome {
  CovarianceSelection dropped, pulled;
  at::Tensor sums;
};

// Moments, both selections, and the loss that leaves out what they chose.
Outcome select_and_sum(const CovarianceInput& input, TokenPolicyLossInput loss) {
  Outcome outcome{select_in_covariance_band(input, {0.1, 1.5, {}}, 9, 1, 2),
                  select_largest_covariance(input, 20),
                  {}};
  loss.dropped_T = outcome.dropped.mask_T();
  loss.pulled_T = outcome.pulled.mask_T();
  PolicyLossTerms terms;
  terms.pull = 1;
  outcome.sums = token_policy_loss(loss, terms).sums;
  return outcome;
}

TEST_F(CovarianceCudaOps, FromTheMomentsToTheLossTheHostWaitsForNothing) {
  const CovarianceInput here = make_input(2051, 0.7), input = there(here);
  TokenPolicyLossInput loss;
  loss.logprob_T = here.logprob_T;
  loss.entropy_T = loss.old_logprob_T = here.logprob_T - 0.25;
  loss.advantage_T = here.advantage_T;
  loss.mask_T = here.mask_T;
  loss.weight_T = here.mask_T.to(at::kDouble);
  TokenPolicyLossInput loss_there;
  for (at::Tensor TokenPolicyLossInput::*member :
       {&TokenPolicyLossInput::logprob_T, &TokenPolicyLossInput::entropy_T,
        &TokenPolicyLossInput::old_logprob_T, &TokenPolicyLossInput::advantage_T,
        &TokenPolicyLossInput::mask_T, &TokenPolicyLossInput::weight_T})
    loss_there.*member = there(loss.*member);
  const Outcome expected = select_and_sum(here, loss);
  Recording recording;
  const Outcome seen = select_and_sum(input, loss_there);
  ASSERT_NO_FATAL_FAILURE(recording.play());
  expect_same(seen.dropped, expected.dropped, "dropped");
  expect_same(seen.pulled, expected.pulled, "pulled");
  // Sums of 2,051 terms, each a few roundings of float32 apart.
  EXPECT_LE(testing::max_error(seen.sums.cpu(), expected.sums),
            16 * 0x1p-24 * (1 + testing::max_abs(expected.sums)) * 2051);
}

}  // namespace
}  // namespace covrl::kernels
