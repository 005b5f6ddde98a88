#include "rollout/recorder.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "core/error.h"
#include "core/jsonl.h"

namespace covrl {

namespace {

// Lines up to `resume_step`, bytes unchanged; what follows the last newline is torn.
void truncate_after(const std::string& path, int64_t resume_step) {
  const std::string text = read_file(path);
  std::string kept;
  int64_t line_number = 0;
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    const Json row = parse_json(line, path, ++line_number);
    if (get_int(row, "step", concat(path, ":", line_number)) <= resume_step) kept += line + "\n";
  }
  if (kept.size() != text.size()) write_file_atomically(path, kept);
}

std::string prompt_text(const Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const Message& message : prompt.messages)
    if (message.role != "system") text += (text.empty() ? "" : "\n") + message.content;
  return text;
}

Json mean_entropy(const Trajectory& trajectory) {
  if (trajectory.entropy.empty()) return nullptr;
  const double sum = std::accumulate(trajectory.entropy.begin(), trajectory.entropy.end(), 0.0);
  return sum / static_cast<double>(trajectory.entropy.size());
}

Json to_json(int64_t step, const Prompt& prompt, size_t sample, const Trajectory& trajectory) {
  const bool judged = trajectory.verdict.outcome != Outcome::kFailed;
  return {{"step", step},
          {"id", prompt.id},
          {"index", prompt.index},
          {"sample", sample},
          {"prompt", prompt_text(prompt)},
          {"response", trajectory.text},
          {"gold", prompt.gold},
          {"extracted", trajectory.verdict.extracted},
          {"outcome", outcome_name(trajectory.verdict.outcome)},
          {"reward", judged ? Json(trajectory.reward) : Json(nullptr)},
          {"finish_reason", finish_reason_name(trajectory.finish_reason)},
          {"num_tokens", trajectory.tokens.size()},
          {"mean_entropy", mean_entropy(trajectory)},
          {"weight_version", trajectory.weight_version}};
}

}  // namespace

Recorder::Recorder(const std::string& path, int64_t resume_step) : path_(path) {
  if (std::filesystem::exists(path)) truncate_after(path, resume_step);
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (file_ == nullptr) throw_runtime(path, ": cannot be written: ", std::strerror(errno));
}

void Recorder::write(int64_t step, const std::vector<Group>& groups, int64_t limit) {
  std::string lines;
  int64_t num_written = 0;
  for (const Group& group : groups)
    for (size_t sample = 0; sample < group.trajectories.size(); ++sample) {
      if (limit >= 0 && num_written++ >= limit) break;
      lines += to_json(step, group.prompt, sample, group.trajectories[sample])
                   .dump(-1, ' ', false, Json::error_handler_t::replace) +
               "\n";
    }
  const bool written = std::fwrite(lines.data(), 1, lines.size(), file_.get()) == lines.size();
  if (!written || std::fflush(file_.get()) != 0)
    throw_runtime(path_, ": cannot be written: ", std::strerror(errno));
}

}  // namespace covrl
