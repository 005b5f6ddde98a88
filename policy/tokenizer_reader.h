// Streaming reader of tokenizer.json: model.vocab and model.merges go into vectors, the rest into a
// JSON tree.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/jsonl.h"

namespace covrl {

struct TokenizerDocument {
  std::vector<std::pair<std::string, int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>>
      merges;  // from "a b" strings or ["a", "b"] pairs
  Json rest;
};

// Throws Error(kUsage) naming `path` for syntax errors (with line) and for vocab or merges of
// another form.
TokenizerDocument read_tokenizer_document(const std::string& path);

}  // namespace covrl
