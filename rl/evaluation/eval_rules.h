// How an evaluation set is asked and judged. The section `eval` (or the words of `covrl eval`)
// gives the rules of all sets; a set may have others, written behind its file:
//
//   aime24.jsonl:samples=8:temperature=0.6
//   arc_easy.parquet:verifier=choice:prompt_style=boxed
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"

namespace covrl {

struct EvalRules {
  int64_t samples = 4;       // per problem, at `temperature`; 0: none
  double temperature = 1.0;  // 0: none is set, so that a set with samples must give its own
  double top_p = 1.0;
  bool greedy = true;                  // one more, at temperature 0
  int64_t max_problems = 0;            // of each set; 0: all
  int64_t max_new_tokens = 0;          // 0: that of the rollout
  std::string verifier = "main";       // or a name of its own (verifiers/table.cc)
  std::string prompt_style = "given";  // rollout/prompt_style.h
  std::string few_shot;                // problem file of examples; empty: none
  int64_t shots = 0;                   // the first of them; 0: all
  void describe(config::Visitor& v);
  bool asks() const { return samples > 0 || greedy; }
};

struct EvalFile {
  std::string path;
  std::string name;  // of the set: the file's stem
  EvalRules rules;
};

// "FILE[:key=value]...": the keys of EvalRules over those of `base`. samples and greedy belong
// together: a set that is given one of them has not the other. Error(kUsage) naming the text and
// what is wrong with it, such as a temperature without samples.
EvalFile parse_eval_file(const std::string& text, const EvalRules& base);
// Names must differ.
std::vector<EvalFile> parse_eval_files(const std::vector<std::string>& texts,
                                       const EvalRules& base);

}  // namespace covrl
