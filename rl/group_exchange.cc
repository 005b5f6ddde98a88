#include "rl/group_exchange.h"

#include "core/bytes.h"
#include "core/error.h"

namespace covrl {

namespace {

void write(ByteWriter& out, const Verdict& verdict) {
  out.value(verdict.outcome);
  out.value(verdict.score);
  out.string(verdict.extracted);
  out.value(verdict.seconds);
  out.string(verdict.reason);
  out.vector(verdict.parts);
}

Verdict read_verdict(ByteReader& in) {
  Verdict verdict;
  verdict.outcome = in.value<Outcome>();
  verdict.score = in.value<double>();
  verdict.extracted = in.string();
  verdict.seconds = in.value<double>();
  verdict.reason = in.string();
  verdict.parts = in.vector<VerdictPart>();
  return verdict;
}

void write(ByteWriter& out, const Trajectory& trajectory) {
  out.vector(trajectory.tokens);
  out.vector(trajectory.behaviour_logprob);
  out.vector(trajectory.entropy);
  out.value(trajectory.finish_reason);
  out.value(trajectory.weight_version);
  out.string(trajectory.text);
  write(out, trajectory.verdict);
  out.value(trajectory.reward);
  out.value(trajectory.audit.has_value());
  if (trajectory.audit) write(out, *trajectory.audit);
}

Trajectory read_trajectory(ByteReader& in) {
  Trajectory trajectory;
  trajectory.tokens = in.vector<int64_t>();
  trajectory.behaviour_logprob = in.vector<float>();
  trajectory.entropy = in.vector<float>();
  trajectory.finish_reason = in.value<FinishReason>();
  trajectory.weight_version = in.value<int64_t>();
  trajectory.text = in.string();
  trajectory.verdict = read_verdict(in);
  trajectory.reward = in.value<double>();
  if (in.value<bool>()) trajectory.audit = read_verdict(in);
  return trajectory;
}

void read_groups(ByteReader in, const std::vector<Prompt>& prompts, std::vector<Group>& groups) {
  while (!in.done()) {
    const auto slot = in.value<uint64_t>();
    COVRL_CHECK(slot < groups.size(), "slot ", slot, " of ", groups.size());
    Group& group = groups[slot];
    COVRL_CHECK(group.trajectories.empty(), "slot ", slot, " was sampled twice");
    group.slot = slot;
    group.prompt = prompts[slot];
    const auto count = in.value<uint64_t>();
    for (uint64_t i = 0; i < count; ++i) group.trajectories.push_back(read_trajectory(in));
  }
}

}  // namespace

std::vector<Group> exchange_groups(Communicator& comm, const std::vector<Group>& mine,
                                   const std::vector<Prompt>& prompts) {
  ByteWriter out;
  for (const Group& group : mine) {
    out.value<uint64_t>(group.slot);
    out.value<uint64_t>(group.trajectories.size());
    for (const Trajectory& trajectory : group.trajectories) write(out, trajectory);
  }
  std::vector<Group> groups(prompts.size());
  for (const std::vector<std::byte>& part : comm.all_gather(out.bytes()))
    read_groups(ByteReader(part), prompts, groups);
  for (size_t slot = 0; slot < groups.size(); ++slot)
    COVRL_CHECK(!groups[slot].trajectories.empty(), "slot ", slot, " was sampled by no rank");
  return groups;
}

}  // namespace covrl
