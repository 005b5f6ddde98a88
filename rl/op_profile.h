// Where the time of a run goes: scopes that the program marks (RECORD_USER_SCOPE) and tensor
// operations, timed through LibTorch's observers, each without what it calls.
//
// Times are the host's. On a GPU a kernel that is started but not waited for is charged to whatever
// waits for it: use NVIDIA's tools there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace covrl {

// Observes every thread from construction to destruction; one at a time.
class OpProfile {
 public:
  OpProfile();
  ~OpProfile();
  OpProfile(const OpProfile&) = delete;

  struct Row {
    std::string verb;  // the outermost marked scope: sample, score, learn, ...
    std::string op;    // the verb's own name for what no operation inside it accounts for
    int64_t calls = 0;
    double seconds = 0;  // of its own, without the operations inside
  };
  std::vector<Row> rows() const;  // longest first
};

// Of `rows`, the time of each verb and the `num_ops` longest operations.
std::string profile_text(const std::vector<OpProfile::Row>& rows, size_t num_ops);

}  // namespace covrl
