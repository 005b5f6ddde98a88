#include "tests/support/fake_comm.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace covrl::testing {
namespace {

using Bytes = std::vector<std::byte>;

// Where the ranks of one communicator meet: each leaves its bytes and takes everybody's.
class Meeting {
 public:
  explicit Meeting(int num_ranks) : given_(static_cast<size_t>(num_ranks)) {}

  std::vector<Bytes> exchange(int rank, Bytes bytes) {
    std::unique_lock lock(mutex_);
    given_[static_cast<size_t>(rank)] = std::move(bytes);
    const int64_t round = round_;
    if (++num_arrived_ == given_.size()) {
      taken_ = given_;
      num_arrived_ = 0;
      ++round_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return round_ != round || broken_; });
    if (round_ == round) throw_runtime("rank ", rank, ": another rank failed");
    return taken_;
  }

  void break_up() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Bytes> given_, taken_;
  size_t num_arrived_ = 0;
  int64_t round_ = 0;
  bool broken_ = false;
};

// The meetings of all communicators of a run, so that a failure wakes every one.
struct World {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Meeting>> meetings;

  Meeting& meeting(const std::string& name, int num_ranks) {
    const std::lock_guard lock(mutex);
    std::unique_ptr<Meeting>& found = meetings[name];
    if (!found) found = std::make_unique<Meeting>(num_ranks);
    return *found;
  }
  void break_up() {
    const std::lock_guard lock(mutex);
    for (auto& [name, meeting] : meetings) meeting->break_up();
  }
};

class FakeCommunicator : public Communicator {
 public:
  FakeCommunicator(World& world, std::string name, int rank, int size)
      : world_(world),
        name_(std::move(name)),
        rank_(rank),
        size_(size),
        meeting_(world.meeting(name_, size)) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void barrier() override { meeting_.exchange(rank_, {}); }

  void broadcast(std::span<std::byte> data, int root) override {
    const std::vector<Bytes> all = meeting_.exchange(rank_, Bytes(data.begin(), data.end()));
    std::copy(all[static_cast<size_t>(root)].begin(), all[static_cast<size_t>(root)].end(),
              data.begin());
  }
  void all_reduce_sum(std::span<int64_t> values) override {
    reduce(values, [](int64_t a, int64_t b) { return a + b; });
  }
  void all_reduce_sum(std::span<double> values) override {
    reduce(values, [](double a, double b) { return a + b; });
  }
  void all_reduce_max(std::span<double> values) override {
    reduce(values, [](double a, double b) { return std::max(a, b); });
  }
  std::vector<Bytes> all_gather(std::span<const std::byte> data) override {
    return meeting_.exchange(rank_, Bytes(data.begin(), data.end()));
  }
  std::unique_ptr<Communicator> split(int color) override {
    std::vector<int> colors(1, color);
    int rank = 0, size = 0;
    const std::vector<Bytes> all = all_gather(std::as_bytes(std::span<const int>(colors)));
    for (int r = 0; r < size_; ++r) {
      int other = 0;
      std::memcpy(&other, all[static_cast<size_t>(r)].data(), sizeof other);
      if (other != color) continue;
      if (r < rank_) ++rank;
      ++size;
    }
    const std::string name = concat(name_, '/', num_splits_++, ':', color);
    return std::make_unique<FakeCommunicator>(world_, name, rank, size);
  }

 private:
  template <class T, class Add>
  void reduce(std::span<T> values, Add add) {
    const auto bytes = std::as_bytes(values);
    const std::vector<Bytes> all = meeting_.exchange(rank_, Bytes(bytes.begin(), bytes.end()));
    for (size_t r = 0; r < all.size(); ++r)
      for (size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, all[r].data() + i * sizeof(T), sizeof(T));
        values[i] = r == 0 ? value : add(values[i], value);
      }
  }

  World& world_;
  std::string name_;
  int rank_, size_;
  Meeting& meeting_;
  int num_splits_ = 0;
};

}  // namespace

void run_ranks(int num_ranks, const std::function<void(Communicator&)>& body) {
  World world;
  world.meeting("world", num_ranks);
  std::mutex mutex;
  std::exception_ptr first_failure;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < num_ranks; ++rank)
    threads.emplace_back([&, rank] {
      try {
        FakeCommunicator comm(world, "world", rank, num_ranks);
        body(comm);
      } catch (...) {
        {
          const std::lock_guard lock(mutex);
          if (!first_failure) first_failure = std::current_exception();
        }
        world.break_up();
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (first_failure) std::rethrow_exception(first_failure);
}

}  // namespace covrl::testing
