#include "rl/op_profile.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <iomanip>
#include <map>
#include <mutex>
#include <sstream>

#include "core/error.h"

namespace covrl {
namespace {

using Clock = std::chrono::steady_clock;

struct Total {
  int64_t calls = 0;
  double seconds = 0;
};

// The observers are plain functions: what they add to has to be reachable without an argument.
struct Totals {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Total> of;  // by verb and operation
  at::CallbackHandle handle = at::INVALID_CALLBACK_HANDLE;
};
Totals& totals() {
  static Totals all;
  return all;
}

struct OpenScope {
  std::string name;
  at::RecordScope kind;
  Clock::time_point start;
  double inside = 0;  // seconds of the scopes within
};
thread_local std::vector<OpenScope> open_scopes;

// "torch::autograd::CppNode<covrl::kernels::(anonymous namespace)::RmsNormFunction>" -> "rms_norm
// backward"; what the engine does around a node is "autograd"; other names stay.
std::string readable(const std::string& name) {
  if (name.starts_with("autograd::engine")) return "autograd";
  const size_t node = name.find("CppNode<");
  if (node == std::string::npos) return name;
  const size_t begin = name.rfind("::") + 2, end = std::min(name.rfind("Function>"), name.size());
  std::string words;
  for (size_t i = begin; i < end; ++i) {
    const auto letter = static_cast<unsigned char>(name[i]);
    if (std::isupper(letter) && i > begin) words += '_';
    words += static_cast<char>(std::tolower(letter));
  }
  return words + " backward";
}

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& scope) {
  open_scopes.push_back({readable(scope.name()), scope.scope(), Clock::now()});
  return nullptr;
}

void leave(const at::RecordFunction&, at::ObserverContext*) {
  if (open_scopes.empty()) return;  // entered before the profile began
  const OpenScope scope = std::move(open_scopes.back());
  open_scopes.pop_back();
  const double seconds = std::chrono::duration<double>(Clock::now() - scope.start).count();
  if (!open_scopes.empty()) open_scopes.back().inside += seconds;
  const OpenScope& outermost = open_scopes.empty() ? scope : open_scopes.front();
  const std::string verb =
      outermost.kind == at::RecordScope::USER_SCOPE ? outermost.name : "(outside)";
  const std::lock_guard lock(totals().mutex);
  Total& total = totals().of[{verb, scope.name}];
  ++total.calls;
  total.seconds += seconds - scope.inside;
}

double seconds_of(const std::vector<OpProfile::Row>& rows) {
  double sum = 0;
  for (const OpProfile::Row& row : rows) sum += row.seconds;
  return sum;
}

}  // namespace

OpProfile::OpProfile() {
  COVRL_CHECK(totals().handle == at::INVALID_CALLBACK_HANDLE, "two profiles at a time");
  totals().of.clear();
  totals().handle = at::addGlobalCallback(
      at::RecordFunctionCallback(enter, leave)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                   at::RecordScope::USER_SCOPE}));
}

OpProfile::~OpProfile() {
  at::removeCallback(totals().handle);
  totals().handle = at::INVALID_CALLBACK_HANDLE;
}

std::vector<OpProfile::Row> OpProfile::rows() const {
  std::vector<Row> rows;
  const std::lock_guard lock(totals().mutex);
  for (const auto& [name, total] : totals().of)
    rows.push_back({name.first, name.second, total.calls, total.seconds});
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return rows;
}

std::string profile_text(const std::vector<OpProfile::Row>& rows, size_t num_ops) {
  const double whole = std::max(seconds_of(rows), 1e-9);  // nothing took no time
  std::vector<std::pair<std::string, double>> verbs;
  for (const OpProfile::Row& row : rows) {
    const auto known = std::find_if(verbs.begin(), verbs.end(),
                                    [&](const auto& verb) { return verb.first == row.verb; });
    if (known == verbs.end())
      verbs.emplace_back(row.verb, row.seconds);
    else
      known->second += row.seconds;
  }
  std::stable_sort(verbs.begin(), verbs.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });

  std::ostringstream text;
  text << std::fixed;
  const auto share = [&](double seconds) {
    text << std::setprecision(3) << std::setw(10) << seconds << std::setprecision(1) << std::setw(8)
         << 100 * seconds / whole << " %\n";
  };
  text << std::left << std::setw(44) << "verb" << std::right << std::setw(10) << "" << std::setw(10)
       << "seconds" << std::setw(10) << "share\n";
  for (const auto& [verb, seconds] : verbs) {
    text << std::left << std::setw(54) << verb << std::right;
    share(seconds);
  }
  text << "\n"
       << std::left << std::setw(14) << "verb" << std::setw(30) << "operation" << std::right
       << std::setw(10) << "calls" << std::setw(10) << "seconds" << std::setw(10) << "share\n";
  for (size_t i = 0; i < std::min(num_ops, rows.size()); ++i) {
    const OpProfile::Row& row = rows[i];
    text << std::left << std::setw(14) << row.verb << std::setw(30)
         << (row.op == row.verb ? "(the rest)" : row.op) << std::right << std::setw(10)
         << row.calls;
    share(row.seconds);
  }
  return text.str();
}

}  // namespace covrl
