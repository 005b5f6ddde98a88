// The public checkpoints and what another implementation computed with them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/jsonl.h"
#include "policy/pretrained.h"
#include "tests/support/paths.h"

namespace covrl::testing {

inline const std::vector<std::string>& golden_model_names() {
  static const std::vector<std::string> names = {"q2-tied-fp32",      "q2-untied-bf16-sharded",
                                                 "q2-hd10-fp32",      "llama-rs32-tied-bf16",
                                                 "llama-untied-fp16", "q2-1.4M-tied-bf16"};
  return names;
}

// "" when this checkpoint is not among the reference material that is present.
inline std::string golden_model_dir(const std::string& name) {
  return reference_path("fixtures/models/" + name);
}

inline std::vector<Json> golden_rows(const std::string& name, const std::string& op,
                                     const std::string& dtype) {
  std::vector<Json> rows;
  read_jsonl(reference_path("fixtures/golden/models/" + name + "/golden.jsonl"),
             [&](int64_t, const Json& row) {
               if (row["op"] == op && row["dtype"] == dtype) rows.push_back(row);
             });
  return rows;
}

inline Json golden_meta(const std::string& name) {
  return read_json(reference_path("fixtures/golden/models/" + name + "/meta.json"));
}

inline std::shared_ptr<Model> load_golden_model(const std::string& name, DType dtype) {
  const std::string dir = golden_model_dir(name);
  return load_model(dir, read_model_config(dir), dtype);
}

}  // namespace covrl::testing
