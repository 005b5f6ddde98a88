#include "verifiers/weighted.h"

#include <cmath>

#include "core/error.h"
#include "verifiers/timed.h"

namespace covrl {
namespace {

struct Member {
  std::unique_ptr<Verifier> verifier;
  double weight;
};

class WeightedVerifier final : public Verifier {
 public:
  explicit WeightedVerifier(std::vector<Member> members) : members_(std::move(members)) {}

  std::string name() const override {
    std::string names;
    for (const Member& member : members_)
      names += (names.empty() ? "" : "+") + member.verifier->name();
    return names;
  }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] { return sum(request); });
  }

  std::vector<Explanation> explain(const VerifyRequest& request) const override {
    std::vector<Explanation> all;
    for (const Member& member : members_)
      for (Explanation& explanation : member.verifier->explain(request))
        all.push_back(std::move(explanation));
    return all;
  }

 private:
  Verdict sum(const VerifyRequest& request) const {
    Verdict result;
    for (const Member& member : members_) {
      Verdict verdict = member.verifier->verify(request);
      const bool failed = verdict.outcome == Outcome::kFailed;
      if (result.parts.empty()) {
        result.outcome = verdict.outcome;
        result.extracted = std::move(verdict.extracted);
      }
      result.parts.push_back({verdict.outcome, verdict.score});
      if (member.weight == 0) continue;
      if (failed) {
        result.outcome = Outcome::kFailed;
        result.reason = concat(member.verifier->name(), ": ", verdict.reason);
      } else {
        result.score += member.weight * verdict.score;
      }
    }
    if (result.outcome != Outcome::kFailed && !std::isfinite(result.score)) {
      result.outcome = Outcome::kFailed;
      result.reason = "the weighted sum of the scores is not finite";
    }
    return result;
  }

  std::vector<Member> members_;
};

}  // namespace

std::unique_ptr<Verifier> make_verifiers(const std::vector<std::string>& names,
                                         const std::vector<double>& weights,
                                         const VerifierOptions& options) {
  COVRL_CHECK(!names.empty() && (weights.empty() || weights.size() == names.size()), names.size(),
              " verifiers, ", weights.size(), " weights");
  if (names.size() == 1 && (weights.empty() || weights[0] == 1))
    return make_verifier(names[0], options);
  std::vector<Member> members;
  for (size_t i = 0; i < names.size(); ++i)
    members.push_back({make_verifier(names[i], options), weights.empty() ? 1 : weights[i]});
  return std::make_unique<WeightedVerifier>(std::move(members));
}

}  // namespace covrl
