// Threads: the caller's thread pushes work and, at the end, closes the queue and joins. Workers
// wait for work only, and end when the queue is closed and drained. A worker that fails closes the
// queue; the caller, waiting to push, then stops pushing.
#include "rollout/verify_groups.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "rollout/closable_queue.h"

namespace covrl {

namespace {

struct Work {
  const Prompt* prompt;
  Trajectory* trajectory;
  bool audited;
};

struct Judges {
  const Verifier& verifier;
  const Verifier* audit;
};

void verify(const Judges& judges, const Work& work) {
  const Prompt& prompt = *work.prompt;
  Trajectory& trajectory = *work.trajectory;
  const VerifyRequest request{trajectory.text, prompt.gold, prompt.data_source, prompt.extra_info};
  if (trajectory.finish_reason == FinishReason::kFailed) {
    trajectory.verdict = {};  // kFailed: what was sampled is not the policy's answer
  } else {
    trajectory.verdict = judges.verifier.verify(request);
    if (work.audited) trajectory.audit = judges.audit->verify(request);
  }
  const bool failed = trajectory.verdict.outcome == Outcome::kFailed;
  trajectory.reward = failed ? 0 : trajectory.verdict.score;
}

class Pool {
 public:
  Pool(const Judges& judges, size_t num_threads) : judges_(judges), queue_(4 * num_threads) {
    for (size_t i = 0; i < num_threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Pool() { join(); }

  bool push(const Work& work) { return queue_.push(work); }

  // Waits for all work; rethrows the first failure.
  void finish() {
    join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void join() {
    queue_.close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void run() {
    try {
      while (const std::optional<Work> work = queue_.pop()) verify(judges_, *work);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      queue_.close();
    }
  }

  const Judges judges_;
  ClosableQueue<Work> queue_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

void verify_groups(std::vector<Group>& groups, const Verifier& verifier, int num_threads,
                   const Audit& audit) {
  RECORD_USER_SCOPE("verify");
  COVRL_CHECK(num_threads > 0, "num_threads ", num_threads);
  const Judges judges{verifier, audit.verifier};
  std::vector<Work> all;
  for (Group& group : groups)
    for (size_t i = 0; i < group.trajectories.size(); ++i)
      all.push_back({&group.prompt, &group.trajectories[i], is_audited(audit, group.slot, i)});
  const size_t threads = std::min(static_cast<size_t>(num_threads), all.size());
  if (threads <= 1) {
    for (const Work& work : all) verify(judges, work);
    return;
  }
  Pool pool(judges, threads);
  for (const Work& work : all)
    if (!pool.push(work)) break;
  pool.finish();
}

}  // namespace covrl
