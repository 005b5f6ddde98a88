// --device of the commands; those that run no model take it for uniformity.
#pragma once

#include <string>

#include "core/cli.h"
#include "policy/device.h"

namespace covrl {

inline void add_device_option(
    cli::Parser& parser, std::string& word,
    const std::string& help =
        "where the model runs; auto: a GPU where there is one, else the CPU") {
  parser.option("--device", word, help).choices(device_words());
}

constexpr const char* kDeviceIsUnused = "accepted for uniformity; this command runs on the CPU";

inline at::Device device_of(const std::string& word) { return choose_device(word, "--device"); }

}  // namespace covrl
