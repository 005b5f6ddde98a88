// The problems that a run trains on: rows of the data files, chosen and changed as `data` says.
#pragma once

#include <string>
#include <vector>

#include "rollout/data_config.h"
#include "rollout/types.h"

namespace covrl {

struct TrainingSet {
  std::vector<Prompt> rows;        // without tokens; `repeat` is not applied yet
  std::vector<std::string> notes;  // what was chosen and changed, a line each, to be shown at start
};

// data.train_files as one list with ids of their own (read_problems), then in this order: ids and
// shares, prompts, label_noise, labels. Error(kUsage) naming key, files and an id that no row has,
// with the nearest.
TrainingSet read_training_set(const DataConfig& config);

// The steps, each a function of the rows.
std::vector<Prompt> choose_problems(const std::vector<Prompt>& rows, const DataConfig& config);
void change_prompts(std::vector<Prompt>& rows, const DataConfig& config);
void change_labels(std::vector<Prompt>& rows, const DataConfig& config);

}  // namespace covrl
