#include <map>

#include "core/cli.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "policy/pretrained.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/row_fields.h"
#include "rl/commands/token_meter.h"
#include "rl/threads.h"
#include "rollout/engine.h"

namespace covrl {
namespace {

struct GenerateWords {
  std::string model, input, output, dtype = "float32", device = "auto", chat_template;
  int64_t max_new_tokens = 256, samples = 1, seed = 0, top_k = 0, max_batch = 128;
  double temperature = 1, top_p = 1, min_p = 0;
};

void check_words(const GenerateWords& words) {
  if (words.max_new_tokens < 1)
    throw_usage("--max-new-tokens is ", words.max_new_tokens, "; at least 1");
  if (words.samples < 1) throw_usage("--samples is ", words.samples, "; at least 1");
  if (words.seed < 0) throw_usage("--seed is ", words.seed, "; 0 or more");
  if (words.max_batch < 1) throw_usage("--max-batch is ", words.max_batch, "; at least 1");
  if (words.temperature < 0)
    throw_usage("--temperature is ", words.temperature, "; 0 (greedy) or more");
  if (words.top_k < 0) throw_usage("--top-k is ", words.top_k, "; 0 (off) or more");
  if (words.top_p <= 0 || words.top_p > 1)
    throw_usage("--top-p is ", words.top_p, "; above 0, at most 1 (off)");
  if (words.min_p < 0 || words.min_p >= 1)
    throw_usage("--min-p is ", words.min_p, "; 0 (off) or more, below 1");
  if (words.temperature == 0 && words.samples > 1)
    throw_usage("--samples ", words.samples,
                " at --temperature 0 would be the same completion each time; set a temperature");
}

GenerateWords parse_words(const std::vector<std::string>& args) {
  GenerateWords words;
  cli::Parser parser("covrl generate", "Samples completions.",
                     "covrl generate --model DIR --input prompts.jsonl --samples 4 --temperature "
                     "0.6 --output completions.jsonl");
  parser.option("--model", words.model, "checkpoint folder").required();
  parser
      .option("--input", words.input,
              "rows {\"id\"} with \"prompt\", \"messages\" or \"ids\"; -: stdin")
      .required();
  parser.option("--output", words.output, "jsonl file; default: stdout");
  parser.option("--max-new-tokens", words.max_new_tokens, "longest completion");
  parser.option("--temperature", words.temperature, "of the samples; 0: greedy");
  parser.option("--top-k", words.top_k, "keeps the k likeliest tokens; 0: off");
  parser.option("--top-p", words.top_p,
                "nucleus: smallest set of tokens that reaches this probability; 1: off");
  parser.option("--min-p", words.min_p,
                "drops tokens below this share of the likeliest one's probability; 0: off");
  parser.option("--samples", words.samples, "completions per prompt");
  parser.option("--seed", words.seed, "seed of the draws");
  parser.option("--chat-template", words.chat_template,
                "family name; default: the checkpoint's own template");
  parser.option("--dtype", words.dtype, "arithmetic of the model").choices({"float32", "bfloat16"});
  parser.option("--max-batch", words.max_batch,
                "sequences decoded together: speed and memory only");
  add_device_option(parser, words.device);
  parser.parse(args);
  check_words(words);
  return words;
}

struct PromptRow {
  Json carried;  // "id" and what the command does not read
  std::vector<int64_t> ids;
};

std::vector<PromptRow> read_prompt_rows(const std::string& path, const ModelConfig& config,
                                        CheckpointText& text) {
  std::vector<PromptRow> rows;
  read_jsonl(path, [&](int64_t, const Json& row) {
    get_id(row);
    std::vector<int64_t> ids = text.prompt_ids(row);
    check_vocabulary(ids, config.vocab_size);
    rows.push_back({without(row, {"prompt", "messages", "ids"}), std::move(ids)});
  });
  return rows;
}

Json answer(const PromptRow& row, int64_t sample, const Trajectory& trajectory,
            const Tokenizer& tokenizer) {
  Json result = {
      {"id", row.carried["id"]},
      {"sample", sample},
      {"ids", trajectory.tokens},
      {"text", tokenizer.decode(trajectory.tokens, /*skip_special_tokens=*/true)},
      {"logprobs", floats_json(trajectory.behaviour_logprob.data(),
                               static_cast<int64_t>(trajectory.behaviour_logprob.size()))},
      {"finish_reason", finish_reason_name(trajectory.finish_reason)}};
  for (const auto& [key, value] : row.carried.items())
    if (!result.contains(key)) result[key] = value;
  return result;
}

// Samples finish out of order; rows are written in the order of the input, what is left over at the
// end.
class OrderedRows {
 public:
  OrderedRows(JsonlOutput& output, int64_t samples) : output_(output), samples_(samples) {}
  ~OrderedRows() {
    try {
      for (const auto& [place, row] : waiting_) output_.write(row);
    } catch (const Error& error) {
      log::warning(error.what());
    }
  }

  void add(size_t request, int64_t sample, Json row) {
    waiting_.emplace(static_cast<int64_t>(request) * samples_ + sample, std::move(row));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; ++next_) {
      output_.write(first->second);
      first = waiting_.erase(first);
    }
  }

 private:
  JsonlOutput& output_;
  int64_t samples_;
  int64_t next_ = 0;
  std::map<int64_t, Json> waiting_;
};

SamplingParams sampling_params(const GenerateWords& words, const GenerationConfig& generation) {
  SamplingParams params;
  params.filter = {words.temperature, words.top_k, words.top_p, words.min_p};
  params.max_new_tokens = words.max_new_tokens;
  params.stop_token_ids = generation.eos_token_ids;
  params.seed = static_cast<uint64_t>(words.seed);
  return params;
}

}  // namespace

int run_generate(const std::vector<std::string>& args) {
  const GenerateWords words = parse_words(args);
  set_process_threads(0);
  install_interrupt_handlers();
  const ModelConfig config = read_model_config(words.model);
  const GenerationConfig generation = read_generation_config(words.model, config);
  CheckpointText text(words.model, words.chat_template);
  const std::vector<PromptRow> rows = read_prompt_rows(words.input, config, text);
  const auto model =
      load_model(words.model, config, parse_dtype(words.dtype, "--dtype"), device_of(words.device));
  JsonlOutput output(words.output, InputFiles{{"--input", words.input}} +
                                       checkpoint_inputs("--model", words.model));

  std::vector<SampleRequest> requests;
  for (size_t i = 0; i < rows.size(); ++i)
    requests.push_back({rows[i].ids, /*step=*/0, /*slot=*/i, words.samples, /*first_sample=*/0});
  TokenMeter meter;
  int64_t num_done = 0;
  const int64_t num_samples = static_cast<int64_t>(rows.size()) * words.samples;
  {
    OrderedRows ordered(output, words.samples);
    Engine(*model, {words.max_batch})
        .generate(
            requests, sampling_params(words, generation),
            [&](size_t request, int64_t sample, Trajectory&& done) {
              meter.add(static_cast<int64_t>(done.tokens.size()));
              warn_of_positions(rows[request].ids.size() + done.tokens.size(), config);
              ordered.add(request, sample, answer(rows[request], sample, done, text.tokenizer()));
              ++num_done;
              meter.show(concat(num_done, "/", num_samples, " completions"));
              if (interrupt_requested())
                throw_runtime("interrupted after ", num_done, " of ", num_samples, " completions");
            });
  }
  log::finish_progress();
  log::info(concat(num_done, " completions, ", meter.summary()));
  return 0;
}

}  // namespace covrl
