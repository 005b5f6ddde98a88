// --device of the commands that run a model.
#pragma once

#include <string>

#include "core/cli.h"
#include "core/error.h"

namespace covrl {

inline void add_device_option(cli::Parser& parser, std::string& device) {
  parser.option("--device", device, "where the model runs; auto takes the best there is").choices({"auto", "cpu", "cuda"});
}

inline void check_device(const std::string& device) {
  if (device == "cuda") throw_usage("--device: models run on the CPU only so far; use auto or cpu");
}

}  // namespace covrl
