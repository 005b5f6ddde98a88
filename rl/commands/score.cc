#include <utility>

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

namespace covrl {
namespace {

struct ScoreWords {
  std::string model, input, output, dtype = "float32", device = "auto";
  double temperature = 1;
  int64_t batch_tokens = 4096;
};

ScoreWords parse_words(const std::vector<std::string>& args) {
  ScoreWords words;
  cli::Parser parser("covrl score", "Log-probabilities and entropies of given tokens, in nats.",
                     "covrl score --model DIR --input rows.jsonl --output scores.jsonl");
  parser.option("--model", words.model, "checkpoint folder").required();
  parser
      .option("--input", words.input,
              "rows {\"id\", \"ids\"} or {\"id\", \"prompt\", \"completion\"}; -: stdin")
      .required();
  parser.option("--output", words.output, "jsonl file; default: stdout");
  parser.option("--temperature", words.temperature, "divides the logits");
  parser.option("--dtype", words.dtype, "arithmetic of the model").choices({"float32", "bfloat16"});
  parser.option("--batch-tokens", words.batch_tokens,
                "tokens scored together: speed and memory only");
  add_device_option(parser, words.device);
  parser.parse(args);
  if (words.temperature <= 0)
    throw_usage("--temperature is ", words.temperature, "; allowed are numbers above 0");
  if (words.batch_tokens < 1) throw_usage("--batch-tokens is ", words.batch_tokens, "; at least 1");
  return words;
}

// A row to score, and what is known of its answer.
struct ScoreRow {
  Json answer;
  std::vector<int64_t> ids;
};

ScoreRow read_row(const Json& row, CheckpointText& text) {
  get_id(row);
  ScoreRow result{without(row, {"ids", "prompt", "completion"}), {}};
  if (row.contains("ids")) {
    if (row.contains("prompt") || row.contains("completion"))
      throw_usage("give either \"ids\", or \"prompt\" and \"completion\"");
    result.ids = get_ids(row, "ids");
  } else {
    result.ids = text.tokenizer().encode(get_string(row, "prompt", "row"));
    const auto completion = text.tokenizer().encode(get_string(row, "completion", "row"),
                                                    {.add_special_tokens = false});
    result.answer["num_prompt_tokens"] = result.ids.size();
    result.ids.insert(result.ids.end(), completion.begin(), completion.end());
    result.answer["ids"] = result.ids;
  }
  if (result.ids.empty()) throw_usage("no tokens to score");
  return result;
}

// Scores the rows in one packed batch and writes their answers.
void answer_rows(std::vector<ScoreRow>& rows, const Model& model, double temperature,
                 JsonlOutput& output) {
  std::vector<std::vector<int64_t>> sequences;
  for (const ScoreRow& row : rows) sequences.push_back(row.ids);
  const PackedTokens batch = pack_tokens(sequences);
  const PackedScores scores = score(model, batch, temperature);
  for (size_t n = 0; n < rows.size(); ++n) {
    const int64_t begin = batch.cu_seqlens[n], length = batch.cu_seqlens[n + 1] - begin;
    rows[n].answer["logprobs"] =
        floats_json(scores.logprob_T.const_data_ptr<float>() + begin, length - 1);
    rows[n].answer["entropy"] =
        floats_json(scores.entropy_T.const_data_ptr<float>() + begin, length);
    output.write(rows[n].answer);
  }
  rows.clear();
}

}  // namespace

int run_score(const std::vector<std::string>& args) {
  const ScoreWords words = parse_words(args);
  set_process_threads(0);
  install_interrupt_handlers();
  CheckpointText text(words.model, "");
  const ModelConfig config = read_model_config(words.model);
  const auto model =
      load_model(words.model, config, parse_dtype(words.dtype, "--dtype"), device_of(words.device));
  const at::NoGradGuard no_grad;
  JsonlOutput output(words.output, InputFiles{{"--input", words.input}} +
                                       checkpoint_inputs("--model", words.model));
  TokenMeter meter;
  std::vector<ScoreRow> waiting;
  int64_t waiting_tokens = 0, num_rows = 0;
  const auto flush = [&] {
    num_rows += static_cast<int64_t>(waiting.size());
    meter.add(std::exchange(waiting_tokens, 0));
    answer_rows(waiting, *model, words.temperature, output);
    meter.show(concat(num_rows, " rows"));
  };
  read_jsonl(words.input, [&](int64_t, const Json& row) {
    if (interrupt_requested()) return;
    ScoreRow next = read_row(row, text);
    check_vocabulary(next.ids, config.vocab_size);
    const auto length = static_cast<int64_t>(next.ids.size());
    warn_of_positions(next.ids.size(), config);
    if (!waiting.empty() && waiting_tokens + length > words.batch_tokens) flush();
    waiting.push_back(std::move(next));
    waiting_tokens += length;
  });
  if (!waiting.empty() && !interrupt_requested()) flush();
  log::finish_progress();
  log::info(concat(num_rows, " rows, ", meter.summary()));
  if (interrupt_requested()) throw_runtime("interrupted after ", num_rows, " rows");
  return 0;
}

}  // namespace covrl
