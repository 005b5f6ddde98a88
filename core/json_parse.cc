// Strict JSON: nlohmann's scanner with a builder of our own, which refuses duplicate keys and
// appends members without the linear search that ordered_json makes for each (a vocabulary has
// 150,000 of them).
#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "core/jsonl.h"

namespace covrl {
namespace {

// Characters of the text, remembering in *consumed how far the scanner has read.
struct TrackedIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** consumed;

  reference operator*() const { return *at; }
  TrackedIterator& operator++() {
    *consumed = ++at;
    return *this;
  }
  bool operator==(const TrackedIterator& other) const { return at == other.at; }
  bool operator!=(const TrackedIterator& other) const { return at != other.at; }
};

class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const std::string& where, int64_t first_line)
      : text_(text), where_(where), first_line_(first_line), consumed_(text.data()) {}

  TrackedIterator begin() { return {text_.data(), &consumed_}; }
  TrackedIterator end() { return {text_.data() + text_.size(), &consumed_}; }
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON text has none

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (!open_.back().keys.insert(name).second) {
      fail(start_of_key(), concat("duplicate key \"", name, "\"; remove one of the two"));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    std::string message = error.what();
    for (const std::string_view mark : {std::string_view("] "), std::string_view(": ")}) {
      const size_t end = message.find(mark);
      if (end != std::string::npos && (mark != ": " || message.starts_with("parse error at")))
        message.erase(0, end + mark.size());
    }
    const size_t length = static_cast<size_t>(consumed_ - text_.data());
    fail(length == 0 ? 0 : length - 1, "not valid JSON: " + message);
  }

 private:
  struct Container {
    Json* value;
    std::unordered_set<std::string> keys;
  };

  [[noreturn]] void fail(size_t offset, const std::string& message) const {
    const std::string_view before = text_.substr(0, offset);
    const int64_t line = first_line_ + std::count(before.begin(), before.end(), '\n');
    const size_t newline = before.rfind('\n');
    const size_t column = newline == std::string_view::npos ? offset + 1 : offset - newline;
    throw_usage(where_, ":", line, ":", column, ": ", message);
  }

  // The scanner stands behind the closing quote of the key.
  size_t start_of_key() const {
    const auto is_escaped = [this](size_t at) {
      size_t start = at;
      while (start > 0 && text_[start - 1] == '\\') --start;
      return (at - start) % 2 == 1;
    };
    size_t at = static_cast<size_t>(consumed_ - text_.data()) - 1;
    do --at;
    while (text_[at] != '"' || is_escaped(at));
    return at;
  }

  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back().value;
    if (parent.is_array()) return &parent.get_ref<Json::array_t&>().emplace_back(std::move(value));
    using Members = Json::object_t::Container;
    Members& members = parent.get_ref<Json::object_t&>();
    return &members.emplace_back(std::move(key_), std::move(value)).second;
  }
  template <class Value>
  bool add(Value&& value) {
    place(Json(std::forward<Value>(value)));
    return true;
  }
  bool open(Json container) {
    Json* value = place(std::move(container));
    open_.push_back({value, {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::string& where_;
  int64_t first_line_;
  const char* consumed_;
  Json root_;
  std::vector<Container> open_;  // from the root to the container being filled
  std::string key_;
};

}  // namespace

Json parse_json(const std::string& text, const std::string& where, int64_t first_line) {
  Builder builder(text, where, first_line);
  const bool complete = Json::sax_parse(builder.begin(), builder.end(), &builder);
  COVRL_CHECK(complete, where);
  return builder.take();
}

}  // namespace covrl
