#include "policy/tokenizer_json.h"

#include "core/error.h"
#include "policy/tokenizer_reader.h"

namespace covrl {
namespace {

std::string type_of(const Json& section) {
  return section.is_object() ? section.value("type", "(none)") : section.dump();
}

BpeModel read_model(TokenizerDocument& document, const std::string& path) {
  const Json model = document.rest.value("model", Json());
  // Files from before the field was written carry no type.
  const std::string type = model.is_object() ? model.value("type", "BPE") : "(none)";
  if (type != "BPE") throw_usage(path, ": model type ", type, " is not supported; supported: BPE");
  if (document.vocab.empty()) throw_usage(path, ": model.vocab is missing or empty");
  if (model.value("byte_fallback", false)) {
    throw_usage(path, ": model.byte_fallback true is not supported; only byte-level BPE is");
  }
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json value = model.value(key, Json());
    if (!value.is_null() && value != 0 && value != "") {
      throw_usage(path, ": model.", key, " ", value.dump(), " is not supported; leave it null");
    }
  }
  BpeModel result;
  result.vocab = std::move(document.vocab);
  result.merges = std::move(document.merges);
  const Json unk_token = model.value("unk_token", Json());
  if (unk_token.is_string()) result.unk_token = unk_token.get<std::string>();
  result.fuse_unk = model.value("fuse_unk", false);
  result.ignore_merges = model.value("ignore_merges", false);
  return result;
}

std::vector<AddedToken> read_added_tokens(const Json& list, const std::string& path) {
  std::vector<AddedToken> result;
  for (const Json& entry : list) {
    const std::string where = concat(path, ": added_tokens[", result.size(), "]");
    AddedToken token;
    token.content = get_string(entry, "content", where);
    token.id = get_int(entry, "id", where);
    token.special = entry.value("special", false);
    token.single_word = entry.value("single_word", false);
    token.lstrip = entry.value("lstrip", false);
    token.rstrip = entry.value("rstrip", false);
    token.normalized = entry.value("normalized", !token.special);
    result.push_back(std::move(token));
  }
  return result;
}

bool read_normalizer(const Json& section, const std::string& path) {
  if (section.is_null()) return false;
  const std::string type = type_of(section);
  if (type == "NFC") return true;
  if (type != "Sequence") {
    throw_usage(path, ": normalizer ", type,
                " is not supported; supported: null, NFC, Sequence of NFC");
  }
  bool nfc = false;
  for (const Json& part : section.value("normalizers", Json::array())) {
    nfc = read_normalizer(part, path) || nfc;
  }
  return nfc;
}

// One item of a TemplateProcessing: appends to what stands before or after the text.
void read_template_item(const Json& item, const Json& special_tokens, const std::string& path,
                        bool& after_text, TokenizerJson& result) {
  if (item.contains("Sequence")) {
    if (after_text) throw_usage(path, ": post_processor TemplateProcessing repeats the text");
    after_text = true;
    return;
  }
  const std::string name = get_string(item.at("SpecialToken"), "id", path + ": post_processor");
  if (!special_tokens.contains(name)) {
    throw_usage(path, ": post_processor: \"", name, "\" is not in its special_tokens");
  }
  const auto ids = special_tokens[name].at("ids").get<std::vector<int64_t>>();
  std::vector<int64_t>& side = after_text ? result.suffix : result.prefix;
  side.insert(side.end(), ids.begin(), ids.end());
}

void read_template(const Json& section, const std::string& path, TokenizerJson& result) {
  TokenizerJson added;
  bool after_text = false;
  const Json special_tokens = section.value("special_tokens", Json::object());
  for (const Json& item : section.at("single")) {
    read_template_item(item, special_tokens, path, after_text, added);
  }
  if (!after_text) throw_usage(path, ": post_processor TemplateProcessing leaves the text out");
  // A later processor of a Sequence wraps what the earlier ones made.
  result.prefix.insert(result.prefix.begin(), added.prefix.begin(), added.prefix.end());
  result.suffix.insert(result.suffix.end(), added.suffix.begin(), added.suffix.end());
}

void read_post_processor(const Json& section, const std::string& path, TokenizerJson& result) {
  if (section.is_null()) return;
  const std::string type = type_of(section);
  if (type == "ByteLevel") return;
  if (type == "TemplateProcessing") {
    read_template(section, path, result);
  } else if (type == "Sequence") {
    for (const Json& part : section.value("processors", Json::array())) {
      read_post_processor(part, path, result);
    }
  } else {
    throw_usage(
        path, ": post_processor ", type,
        " is not supported; supported: null, ByteLevel, TemplateProcessing, Sequence of these");
  }
}

void check_decoder(const Json& section, const std::string& path) {
  const std::string type = type_of(section);
  const Json parts = type == "Sequence" ? section.value("decoders", Json::array()) : Json();
  if (type == "ByteLevel" || (parts.size() == 1 && type_of(parts[0]) == "ByteLevel")) return;
  throw_usage(path, ": decoder ", type, " is not supported; supported: ByteLevel");
}

}  // namespace

TokenizerJson read_tokenizer_json(const std::string& path) {
  TokenizerDocument document = read_tokenizer_document(path);
  if (!document.rest.is_object()) throw_usage(path, ": not a JSON object");
  const Json& rest = document.rest;
  TokenizerJson result;
  try {
    result.model = read_model(document, path);
    result.added_tokens = read_added_tokens(rest.value("added_tokens", Json::array()), path);
    result.nfc = read_normalizer(rest.value("normalizer", Json()), path);
    result.pre_tokenizer = rest.value("pre_tokenizer", Json());
    read_post_processor(rest.value("post_processor", Json()), path, result);
    check_decoder(rest.value("decoder", Json()), path);
  } catch (const nlohmann::json::exception& error) {
    throw_usage(path, ": a value has the wrong type: ", error.what());
  }
  return result;
}

}  // namespace covrl
