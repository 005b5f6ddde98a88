// Alarms of a run: entropy that leaves its bounds or moves too fast, responses that degenerate. A
// function of the rows of metrics.jsonl alone, so that ranks, interruptions and resuming do not
// matter; an interrupted run reads its rows back.
//
// With W = `window`, over the rows of the last W steps (none missing, all values finite):
//   entropy_floor     rings when rollout/entropy is below it in all W
//   entropy_ceiling   rings when rollout/entropy is above it in all W
//   entropy_slope     rings when |least-squares slope of rollout/entropy| * (W - 1), the fitted
//                     change over the window, is more than this share of the window's mean; up or
//                     down: doubling or halving along a line is a share of 2/3
//   degenerate_share  rings when rollout/degenerate is above it in all W
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"
#include "core/jsonl.h"
#include "core/metrics.h"

namespace covrl {

struct AlarmsConfig {
  std::optional<double> entropy_floor, entropy_ceiling, entropy_slope, degenerate_share;
  int64_t window = 5;
  std::string action = "warn";  // "warn", "stop", "rollback"
  bool operator==(const AlarmsConfig&) const = default;
  bool any() const { return entropy_floor || entropy_ceiling || entropy_slope || degenerate_share; }
  bool ends_run() const { return any() && action != "warn"; }
  void describe(config::Visitor& v);
};

// One that began to ring.
struct Alarm {
  std::string name;  // that of its key
  int64_t step = 0;  // the row that completed the window
  double value = 0;  // of the window: its largest, least or fitted, the one that the threshold is
                     // compared with
  double threshold = 0;
};
// "rollout/entropy was at most 0.031 in steps 8 to 12, below alarms.entropy_floor = 0.05"
std::string alarm_text(const Alarm& alarm, int64_t window);

// Lines of alarms.jsonl, in the order of what happened:
//   {"step","event":"ring","alarm","value","threshold","action"}
//   {"step","event":"rollback","alarm","value","threshold","given_up":[first, last]}, where step is
//   that of the checkpoint gone back to, so that the line outlives those that are given up
Json alarm_row(const Alarm& alarm, const std::string& action);
Json rollback_row(const Alarm& alarm, int64_t kept_step, int64_t last_step);

class Alarms {
 public:
  explicit Alarms(const AlarmsConfig& config);

  // The rows of a run in order. Sets alarm/NAME of every alarm that is configured, 1 while it rings
  // and 0 else. Returns those that this row makes ring.
  std::vector<Alarm> add(int64_t step, Metrics& row);
  // Rows that were written before.
  void replay(const std::vector<std::pair<int64_t, Metrics>>& rows);
  // The one that has rung for longest and still does.
  std::optional<Alarm> ringing() const;

 private:
  // Values of one metric in consecutive steps, the latest last, `window` at most.
  struct Recent {
    std::string metric;
    int64_t step = 0;
    std::vector<double> values;
  };
  struct Rule {
    std::string name;
    double threshold;
    size_t recent;  // place in recent_
    double (*measure)(const std::vector<double>& window);
    bool below;  // rings below the threshold, not above
    std::optional<Alarm> ringing;
  };
  void remember(int64_t step, const Metrics& row);

  size_t window_;
  std::vector<Recent> recent_;
  std::vector<Rule> rules_;
};

}  // namespace covrl
