#include "policy/tokenizer_reader.h"

#include <algorithm>

#include "core/error.h"

namespace covrl {
namespace {

class Handler : public nlohmann::json_sax<Json> {
 public:
  explicit Handler(std::string path) : path_(std::move(path)) {}
  TokenizerDocument take() { return std::move(document_); }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(int64_t value) override { return scalar(value); }
  bool number_unsigned(uint64_t value) override { return scalar(value); }
  bool number_float(double value, const std::string&) override { return scalar(value); }
  bool binary(binary_t&) override { return false; }

  bool string(std::string& value) override {
    if (mode_ != Mode::kMerges) return scalar(std::move(value));
    if (in_pair_) {
      pair_.push_back(std::move(value));
    } else if (!value.starts_with("#version")) {
      split_merge(value);
    }
    return true;
  }

  bool start_object(size_t) override {
    if (mode_ != Mode::kTree) unexpected("an object");
    if (at_model_key("vocab")) {
      mode_ = Mode::kVocab;
    } else {
      open(Json::object());
    }
    return true;
  }

  bool key(std::string& value) override {
    key_ = std::move(value);
    return true;
  }

  bool end_object() override {
    if (mode_ == Mode::kVocab) {
      mode_ = Mode::kTree;
    } else {
      open_.pop_back();
    }
    return true;
  }

  bool start_array(size_t) override {
    if (mode_ == Mode::kVocab || in_pair_) unexpected("an array");
    if (mode_ == Mode::kMerges) {
      in_pair_ = true;
    } else if (at_model_key("merges")) {
      mode_ = Mode::kMerges;
    } else {
      open(Json::array());
    }
    return true;
  }

  bool end_array() override {
    if (in_pair_) {
      if (pair_.size() != 2) bad_merge(concat("a list of ", pair_.size(), " strings"));
      document_.merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
      pair_.clear();
      in_pair_ = false;
    } else if (mode_ == Mode::kMerges) {
      mode_ = Mode::kTree;
    } else {
      open_.pop_back();
    }
    return true;
  }

  // The strict reader, which refuses what this one does, says where.
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    read_json(path_);
    throw_usage(path_, ": not valid JSON: ", error.what());
  }

 private:
  enum class Mode { kTree, kVocab, kMerges };

  template <class T>
  bool scalar(T&& value) {
    if (mode_ == Mode::kTree) {
      put(Json(std::forward<T>(value)));
    } else if constexpr (std::is_integral_v<std::decay_t<T>> &&
                         !std::is_same_v<std::decay_t<T>, bool>) {
      if (mode_ != Mode::kVocab) unexpected("a number");
      document_.vocab.emplace_back(std::move(key_), static_cast<int64_t>(value));
    } else {
      unexpected(Json(std::forward<T>(value)).dump());
    }
    return true;
  }

  bool at_model_key(const char* name) const {
    return open_.size() == 2 && key_ == name && document_.rest.contains("model") &&
           &document_.rest["model"] == open_.back();
  }

  Json* put(Json value) {
    if (open_.empty()) {
      document_.rest = std::move(value);
      return &document_.rest;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    if (parent.contains(key_)) throw_usage(path_, ": the key \"", key_, "\" appears twice");
    return &(parent[key_] = std::move(value));
  }

  // Pointers to open containers stay valid: only the innermost one grows.
  void open(Json container) { open_.push_back(put(std::move(container))); }

  void split_merge(const std::string& line) {
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos) {
      bad_merge("\"" + line + "\"");
    }
    document_.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }

  [[noreturn]] void bad_merge(const std::string& seen) const {
    throw_usage(path_, ": merge ", document_.merges.size() + 1, " is ", seen,
                "; a merge is \"a b\" or [\"a\", \"b\"]");
  }

  [[noreturn]] void unexpected(const std::string& seen) const {
    if (mode_ == Mode::kVocab) {
      throw_usage(path_, ": vocab gives \"", key_, "\" the id ", seen, "; ids are integers");
    }
    bad_merge(seen);
  }

  std::string path_;
  TokenizerDocument document_;
  Mode mode_ = Mode::kTree;
  std::string key_;
  std::vector<Json*> open_;
  bool in_pair_ = false;
  std::vector<std::string> pair_;
};

}  // namespace

TokenizerDocument read_tokenizer_document(const std::string& path) {
  const std::string text = read_file(path);
  Handler handler(path);
  Json::sax_parse(text, &handler);
  return handler.take();
}

}  // namespace covrl
