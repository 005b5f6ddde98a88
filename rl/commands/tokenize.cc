#include "core/cli.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/row_fields.h"

namespace covrl {
namespace {

struct TokenizeWords {
  std::string model, input = "-", output, chat_template, device = "auto";
  bool decode = false, no_special = false;
};

TokenizeWords parse_words(const std::vector<std::string>& args) {
  TokenizeWords words;
  cli::Parser parser("covrl tokenize", "Text to token ids, or ids to text with --decode.",
                     "covrl tokenize --model DIR --input texts.jsonl");
  parser.option("--model", words.model, "folder with tokenizer.json").required();
  parser.option("--input", words.input,
                "rows with \"text\" or \"messages\", or \"ids\" with --decode; -: stdin");
  parser.option("--output", words.output, "jsonl file; default: stdout");
  parser.flag("--decode", words.decode, "read \"ids\", write \"text\"");
  parser.flag("--no-special", words.no_special,
              "add no special tokens; with --decode: leave them out of the text");
  parser.option("--chat-template", words.chat_template,
                "family name; default: the checkpoint's own template");
  add_device_option(parser, words.device, kDeviceIsUnused);
  parser.parse(args);
  return words;
}

std::vector<int64_t> encode_row(const Json& row, CheckpointText& text, bool add_special_tokens) {
  if (row.contains("text") == row.contains("messages"))
    throw_usage("give exactly one of \"text\" and \"messages\" (or --decode with \"ids\")");
  if (row.contains("messages"))
    return text.encode_messages(get_messages(row), /*add_generation_prompt=*/true);
  return text.tokenizer().encode(get_string(row, "text", "row"),
                                 {.add_special_tokens = add_special_tokens});
}

}  // namespace

int run_tokenize(const std::vector<std::string>& args) {
  const TokenizeWords words = parse_words(args);
  CheckpointText text(words.model, words.chat_template);
  text.tokenizer();
  JsonlOutput output(words.output, InputFiles{{"--input", words.input}} +
                                       checkpoint_inputs("--model", words.model));
  install_interrupt_handlers();
  read_jsonl(words.input, [&](int64_t line, const Json& row) {
    if (interrupt_requested()) throw_runtime("interrupted before line ", line);
    Json result = without(row, {"text", "messages", "ids"});
    if (words.decode) {
      result["text"] = text.tokenizer().decode(get_ids(row, "ids"), words.no_special);
    } else {
      result["ids"] = encode_row(row, text, !words.no_special);
    }
    output.write(result);
  });
  return 0;
}

}  // namespace covrl
