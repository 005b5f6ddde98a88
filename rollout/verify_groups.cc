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
};

void verify(const Verifier& verifier, const Prompt& prompt, Trajectory& trajectory) {
  if (trajectory.finish_reason == FinishReason::kFailed) {
    trajectory.verdict = {};  // kFailed: what was sampled is not the policy's answer
  } else {
    trajectory.verdict = verifier.verify({trajectory.text, prompt.gold, prompt.data_source});
  }
  const bool failed = trajectory.verdict.outcome == Outcome::kFailed;
  trajectory.reward = failed ? 0 : trajectory.verdict.score;
}

class Pool {
 public:
  Pool(const Verifier& verifier, size_t num_threads)
      : verifier_(verifier), queue_(4 * num_threads) {
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
      while (const std::optional<Work> work = queue_.pop())
        verify(verifier_, *work->prompt, *work->trajectory);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      queue_.close();
    }
  }

  const Verifier& verifier_;
  ClosableQueue<Work> queue_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

void verify_groups(std::vector<Group>& groups, const Verifier& verifier, int num_threads) {
  RECORD_USER_SCOPE("verify");
  COVRL_CHECK(num_threads > 0, "num_threads ", num_threads);
  std::vector<Work> all;
  for (Group& group : groups)
    for (Trajectory& trajectory : group.trajectories) all.push_back({&group.prompt, &trajectory});
  const size_t threads = std::min(static_cast<size_t>(num_threads), all.size());
  if (threads <= 1) {
    for (const Work& work : all) verify(verifier, *work.prompt, *work.trajectory);
    return;
  }
  Pool pool(verifier, threads);
  for (const Work& work : all)
    if (!pool.push(work)) break;
  pool.finish();
}

}  // namespace covrl
