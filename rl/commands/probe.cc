#include <array>

#include "core/cli.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/probe_context.h"
#include "rl/commands/row_fields.h"
#include "rl/threads.h"

namespace covrl {
namespace {

struct Operation {
  const char* name;
  ProbeOperation run;
};

constexpr std::array<Operation, 10> kOperations = {{{"score", probe_score},
                                                    {"score_batch", probe_score_batch},
                                                    {"generate", probe_generate},
                                                    {"generate_batch", probe_generate_batch},
                                                    {"sample_dist", probe_sample_dist},
                                                    {"grad", probe_grad},
                                                    {"adamw", probe_adamw},
                                                    {"encode", probe_encode},
                                                    {"decode", probe_decode},
                                                    {"chat", probe_chat}}};

ProbeOperation find_operation(const std::string& name) {
  std::string known;
  for (const Operation& operation : kOperations) {
    if (name == operation.name) return operation.run;
    known += concat(known.empty() ? "" : ", ", operation.name);
  }
  throw_usage("\"op\" is \"", name, "\", allowed are ", known);
}

// A template that refuses its messages is an answer, and the only fault that is.
Json answer(const Json& row, const std::string& op, ProbeContext& context) {
  Json result = {{"id", get_id(row)}};
  const ProbeOperation run = find_operation(op);
  try {
    result.update(run(row, context));
  } catch (const Error& error) {
    if (op != "chat" || error.kind() != ErrorKind::kUsage) throw;
    result["error"] = error.what();
  }
  return result;
}

}  // namespace

int run_probe(const std::vector<std::string>& args) {
  std::string model, input, output_path, device = "auto";
  cli::Parser parser("covrl probe",
                     "Answers mixed requests about a checkpoint, to compare implementations.",
                     "covrl probe --model DIR --input requests.jsonl --output answers.jsonl");
  parser
      .option("--model", model,
              "checkpoint folder, or one with a tokenizer alone (encode, decode, chat)")
      .required();
  parser.option("--input", input, "requests {\"id\", \"op\", ...}; -: stdin").required();
  parser.option("--output", output_path,
                "jsonl file, tensors of grad and adamw beside it; default: stdout");
  add_device_option(parser, device);
  parser.parse(args);

  set_process_threads(0);
  install_interrupt_handlers();
  ProbeContext context(model, output_path, device_of(device));
  JsonlOutput output(output_path,
                     InputFiles{{"--input", input}} + checkpoint_inputs("--model", model));
  read_jsonl(input, [&](int64_t line, const Json& row) {
    if (interrupt_requested()) throw_runtime("interrupted before line ", line);
    output.write(answer(row, get_string(row, "op", "row"), context));
  });
  return 0;
}

}  // namespace covrl
