// What the commands that take a configuration share: --config FILE (several), overrides a.b=v,
// --device, and loading.
#pragma once

#include <string>
#include <vector>

#include "core/cli.h"
#include "core/config.h"
#include "core/error.h"
#include "policy/device.h"

namespace covrl {

struct ConfigWords {
  std::vector<std::string> files;
  std::vector<std::string> overrides;
  std::string device;  // "": model.device, as configured

  std::vector<std::string> all_overrides() const {
    std::vector<std::string> all = overrides;
    if (!device.empty()) all.push_back("model.device=" + device);
    return all;
  }
};

inline void add_config_words(cli::Parser& parser, ConfigWords& words) {
  parser.option("--config", words.files, "YAML file; several are read left to right").required();
  parser.positionals(words.overrides, "a.b=value", "overrides, after the files");
  parser.option("--device", words.device, "model.device, whatever the files say")
      .choices(device_words());
}

template <class Config>
void load_config(const ConfigWords& words, Config& config) {
  config::load({words.files, words.all_overrides()},
               [&](config::Visitor& v) { config.describe(v); });
}

template <class Config>
std::string dump_config(Config& config) {
  return config::dump([&](config::Visitor& v) { config.describe(v); }, config::Comments::kHelp);
}

}  // namespace covrl
