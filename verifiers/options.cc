#include "verifiers/options.h"

#include <algorithm>

#include "core/error.h"

namespace covrl {

void ExactOptions::describe(config::Visitor& v) {
  v.field("ignore_case", ignore_case, "Letters A-Z count as a-z.");
  v.field("whole_response", whole_response,
          "Compare the whole response; false: the answer that it states (a box, or after `answer "
          "is`), and the whole response only where it states none.");
}

void NumericOptions::describe(config::Visitor& v) {
  v.field("rel_tol", rel_tol, "Largest difference as a share of the gold number's size.", {0, 1});
  v.field("abs_tol", abs_tol, "Largest difference; the larger of the two bounds holds.",
          {0, 1e300});
}

void ExternalLibraryOptions::describe(config::Visitor& v) {
  v.field("path", path, "Shared object with the C interface of verifiers/external_api.h.");
  v.field("function", function, "Its function that judges.");
  v.field("options", options, "Text handed to the function with every request.");
  v.check(!function.empty(), "function", "must not be empty");
}

void ExternalProcessOptions::describe(config::Visitor& v) {
  v.field("command", command,
          "Program and arguments; it answers JSON lines (docs/rewards.md). One process for each "
          "thread that verifies.");
  v.field("timeout", timeout,
          "Seconds for a request; then the process is killed, another one started, and the verdict "
          "is failed.",
          {1e-4, 1e6});
  v.field("start_timeout", start_timeout, "Seconds for the process to say that it is ready.",
          {1e-4, 1e6});
  v.field("correct_from", correct_from,
          "Score (`acc` where the answer has it) from which a response counts as correct in "
          "accuracies; the reward is the score itself.",
          {-1e9, 1e9});
}

void VerifierOptions::describe(config::Visitor& v) {
  v.section("math", math, "Keys of the verifiers math and math_boxed (docs/verifier.md).");
  v.section("exact", exact, "Keys of the verifier exact.");
  v.section("numeric", numeric, "Keys of the verifier numeric.");
  v.section("external_library", external_library, "Keys of the verifier external_library.");
  v.section("external_process", external_process, "Keys of the verifier external_process.");
}

void VerifierOptions::check_used(config::Visitor& v, const std::vector<std::string>& used) const {
  const auto is_used = [&](const char* name) {
    return std::find(used.begin(), used.end(), name) != used.end();
  };
  const auto refuse = [&](const char* name, const char* section, bool is_default) {
    v.check(is_used(name) || is_default, section,
            concat("has no effect: the verifier ", name,
                   " is not chosen; choose it (verifier.name), or remove the keys"));
  };
  v.check(is_used("math") || is_used("math_boxed") || math == MathPolicy(), "verifier.math",
          "has no effect: neither math nor math_boxed is chosen; choose one (verifier.name), or "
          "remove the keys");
  const MathPolicy defaults;
  v.check(is_used("math") || !is_used("math_boxed") ||
              (math.phrases == defaults.phrases && math.loose == defaults.loose),
          "verifier.math",
          "phrases and loose have no effect with math_boxed, which takes boxes only; remove them, "
          "or choose math");
  refuse("exact", "verifier.exact", exact == ExactOptions());
  refuse("numeric", "verifier.numeric", numeric == NumericOptions());
  refuse("external_library", "verifier.external_library",
         external_library == ExternalLibraryOptions());
  refuse("external_process", "verifier.external_process",
         external_process == ExternalProcessOptions());
  v.check(!is_used("external_library") || !external_library.path.empty(),
          "verifier.external_library", "path is required: the shared object that judges");
  v.check(!is_used("external_process") || !external_process.command.empty(),
          "verifier.external_process",
          "command is required: the program that judges, like [python3, reward.py]");
}

}  // namespace covrl
