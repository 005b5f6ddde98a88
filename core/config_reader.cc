// Reads the merged tree into the described struct, and says what is wrong with all of it.
#include <algorithm>
#include <iterator>

#include "core/cli.h"
#include "core/config.h"
#include "core/config_tree.h"
#include "core/config_value.h"
#include "core/error.h"
#include "core/jsonl.h"

namespace covrl::config {
namespace {

using Kind = Node::Kind;

std::string shown(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kSection:
      return "a section";
    case Kind::kScalar:
      break;
  }
  return node.quoted ? "the text '" + node.text + "'" : node.text;
}

std::string must_be(const std::string& allowed, const Node& node, const std::string& remedy = "") {
  return "must be " + allowed + ", got " + shown(node) + (remedy.empty() ? "" : "; " + remedy);
}

std::string join_path(const std::string& section, const std::string& key) {
  return section.empty() ? key : section + "." + key;
}

// "" when `node` was read into `value`, else what is wrong.
template <class Number, class Parse>
std::string read_number(const Node& node, Number& value, const std::string& allowed,
                        const Range& range, Parse parse) {
  if (node.kind != Kind::kScalar) return must_be(allowed, node);
  const std::optional<Number> number = parse(node.text);
  if (number && node.quoted) return must_be(allowed, node, "remove the quotes");
  if (!number || !is_inside(static_cast<double>(*number), range)) return must_be(allowed, node);
  value = *number;
  return "";
}

std::string read_bool(const Node& node, bool& value) {
  const bool known = node.kind == Kind::kScalar && (node.text == "true" || node.text == "false");
  if (known && node.quoted) return must_be(allowed_bool(), node, "remove the quotes");
  if (!known) return must_be(allowed_bool(), node);
  value = node.text == "true";
  return "";
}

std::string read_text(const Node& node, std::string& value) {
  if (node.kind != Kind::kScalar) return must_be(allowed_text(), node);
  const bool other = node.text == "true" || node.text == "false" || parse_double(node.text);
  if (other && !node.quoted)
    return must_be(allowed_text(), node, "write \"" + node.text + "\" if it is meant as text");
  value = node.text;
  return "";
}

std::string read_word(const Node& node, std::string& value, const std::vector<std::string>& words) {
  if (node.kind != Kind::kScalar) return must_be(allowed_words(words), node);
  if (std::ranges::find(words, node.text) == words.end()) {
    const std::string close = cli::nearest(node.text, words);
    return must_be(allowed_words(words), node,
                   close.empty() ? "" : "did you mean '" + close + "'?");
  }
  value = node.text;
  return "";
}

// An item is its text as written, so that ids which are numbers need no quotes.
std::string read_list(const Node& node, std::vector<std::string>& value) {
  if (node.kind != Kind::kList)
    return must_be(allowed_list(), node,
                   node.kind == Kind::kScalar ? "write [" + node.text + "]" : "");
  std::vector<std::string> items;
  for (const Node& item : node.items) {
    if (item.kind != Kind::kScalar)
      return concat("item ", items.size() + 1, " ", must_be(allowed_text(), item));
    items.push_back(item.text);
  }
  value = std::move(items);
  return "";
}

std::string read_numbers(const Node& node, std::vector<double>& value, const Range& range) {
  if (node.kind != Kind::kList)
    return must_be(allowed_numbers(range), node,
                   node.kind == Kind::kScalar ? "write [" + node.text + "]" : "");
  std::vector<double> items;
  for (const Node& item : node.items) {
    const std::string wrong =
        read_number(item, items.emplace_back(), allowed_double(range), range, parse_double);
    if (!wrong.empty()) return concat("item ", items.size(), " ", wrong);
  }
  value = std::move(items);
  return "";
}

std::string read_words(const Node& node, std::vector<std::string>& value,
                       const std::vector<std::string>& words) {
  if (node.kind != Kind::kList) {
    std::string one;
    const std::string wrong = read_word(node, one, words);
    if (wrong.empty()) value = {one};
    return wrong;
  }
  std::vector<std::string> items;
  for (const Node& item : node.items) {
    const std::string wrong = read_word(item, items.emplace_back(), words);
    if (!wrong.empty()) return concat("item ", items.size(), " ", wrong);
  }
  if (items.empty()) return must_be(allowed_words(words), node);
  value = std::move(items);
  return "";
}

class Reader final : public Visitor {
 public:
  explicit Reader(Document& document) : document_(document) {
    open_.push_back({"", &document.root, {}, document.root.key_place});
  }

  void field(const char* key, bool& value, const char*) override {
    read(key, [&](const Node& node) { return read_bool(node, value); });
  }
  void field(const char* key, int64_t& value, const char*, Range range) override {
    read(key, [&](const Node& node) {
      return read_number(node, value, allowed_int(range), range, parse_int);
    });
  }
  void field(const char* key, double& value, const char*, Range range) override {
    read(key, [&](const Node& node) {
      return read_number(node, value, allowed_double(range), range, parse_double);
    });
  }
  void field(const char* key, std::string& value, const char*) override {
    read(key, [&](const Node& node) { return read_text(node, value); });
  }
  void field(const char* key, std::vector<std::string>& value, const char*) override {
    read(key, [&](const Node& node) { return read_list(node, value); });
  }
  void field(const char* key, std::vector<double>& value, const char*, Range range) override {
    read(key, [&](const Node& node) { return read_numbers(node, value, range); });
  }
  void field(const char* key, std::optional<int64_t>& value, const char*, Range range) override {
    read_optional(key, value, or_null(allowed_int(range)), range, parse_int);
  }
  void field(const char* key, std::optional<double>& value, const char*, Range range) override {
    read_optional(key, value, or_null(allowed_double(range)), range, parse_double);
  }
  void fraction(const char* key, double& value, const char*, Range range) override {
    read(key, [&](const Node& node) {
      return read_number(node, value, allowed_fraction(range), range, parse_fraction);
    });
  }
  void word(const char* key, std::string& value, const char*,
            const std::vector<std::string>& words) override {
    read(key, [&](const Node& node) { return read_word(node, value, words); });
  }
  void words(const char* key, std::vector<std::string>& value, const char*,
             const std::vector<std::string>& words) override {
    read(key, [&](const Node& node) { return read_words(node, value, words); });
  }

  void check(bool holds, const char* key, const std::string& message) override {
    if (holds) return;
    Place place = open_.back().place;
    if (const Entry* entry = find(key)) place = entry->values.back().key_place;
    broken_checks_.push_back({place, join_path(open_.back().path, key), message});
  }

  bool given(const char* key) const override { return find(key) != nullptr; }

  std::vector<std::string> given_keys() const override {
    std::vector<std::string> keys;
    if (const Node* section = open_.back().node)
      for (const Entry& entry : section->entries) keys.push_back(entry.key);
    return keys;
  }

  std::string place(const char* key) const override {
    const Entry* entry = find(key);
    return entry == nullptr ? "" : document_.name(entry->values.back().key_place);
  }

  // After describe(): adds unknown keys and broken checks to the faults.
  void finish() {
    sections_.push_back(std::move(open_.back()));
    open_.pop_back();
    COVRL_CHECK(open_.empty());
    for (const Section& section : sections_) refuse_unknown_keys(section);
    std::erase_if(broken_checks_, [this](const Fault& fault) { return is_explained(fault); });
    std::ranges::move(broken_checks_, std::back_inserter(document_.faults));
  }

 protected:
  void enter(const char* key, const char*) override {
    declare(key);
    Section section{join_path(open_.back().path, key), nullptr, {}, open_.back().place};
    if (const Entry* entry = find(key)) {
      section.node = entry->section();
      section.place = entry->values.back().key_place;
      for (const Node& value : entry->values)
        if (value.kind != Kind::kSection && value.kind != Kind::kNull)
          document_.faults.push_back(
              {value.place, section.path, must_be("a section of keys", value)});
    }
    open_.push_back(std::move(section));
  }
  void leave() override {
    sections_.push_back(std::move(open_.back()));
    open_.pop_back();
  }

 private:
  struct Section {
    std::string path;
    const Node* node;  // null when the user did not write it
    std::vector<std::string> keys;
    Place place = {};
  };

  void declare(const char* key) {
    std::vector<std::string>& keys = open_.back().keys;
    COVRL_CHECK(std::ranges::find(keys, key) == keys.end(), key, " is described twice");
    keys.push_back(key);
  }

  // `key` may be a dotted path below the current section.
  const Entry* find(std::string_view key) const {
    const Node* section = open_.back().node;
    for (;;) {
      const size_t dot = key.find('.');
      const Entry* entry = section == nullptr ? nullptr : section->find(key.substr(0, dot));
      if (entry == nullptr || dot == std::string_view::npos) return entry;
      section = entry->section();
      key.remove_prefix(dot + 1);
    }
  }

  template <class Parse>
  void read(const char* key, Parse parse) {
    declare(key);
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    for (const Node& node : entry->values) {
      const std::string wrong = parse(node);
      if (!wrong.empty())
        document_.faults.push_back({node.place, join_path(open_.back().path, key), wrong});
    }
  }

  template <class Number, class Parse>
  void read_optional(const char* key, std::optional<Number>& value, const std::string& allowed,
                     const Range& range, Parse parse) {
    read(key, [&](const Node& node) -> std::string {
      if (node.kind == Kind::kNull) {
        value.reset();
        return "";
      }
      Number number{};
      const std::string wrong = read_number(node, number, allowed, range, parse);
      if (wrong.empty()) value = number;
      return wrong;
    });
  }

  void refuse_unknown_keys(const Section& section) {
    if (section.node == nullptr) return;
    for (const Entry& entry : section.node->entries) {
      if (std::ranges::find(section.keys, entry.key) != section.keys.end()) continue;
      const std::string message = "unknown key" + suggestion(section, entry.key);
      for (const Node& value : entry.values)
        document_.faults.push_back({value.key_place, join_path(section.path, entry.key), message});
    }
  }

  std::string suggestion(const Section& section, const std::string& key) {
    std::string close = cli::nearest(key, section.keys);
    if (!close.empty()) close = join_path(section.path, close);
    if (close.empty()) close = nearest_elsewhere(key);
    if (close.empty()) return "; keys here are " + joined(section.keys);
    suggested_.push_back(close);
    if (key.find('.') != std::string::npos)
      return "; did you mean '" + close + "'? In a file, each section is a level of indentation";
    return "; did you mean '" + close + "'?";
  }

  // Of all sections: by the last part of the path, or by the whole of it.
  std::string nearest_elsewhere(const std::string& key) const {
    std::vector<std::string> names, paths;
    for (const Section& section : sections_)
      for (const std::string& name : section.keys) {
        names.push_back(name);
        paths.push_back(join_path(section.path, name));
      }
    const std::string close = cli::nearest(key, names);
    if (close.empty()) return cli::nearest(key, paths);
    return paths[static_cast<size_t>(std::ranges::find(names, close) - names.begin())];
  }

  // A check that fails only because its key was misread or misspelt says nothing new.
  bool is_explained(const Fault& broken) const {
    const auto is_at_or_below = [&](const std::string& path) {
      return path == broken.path || path.starts_with(broken.path + ".");
    };
    return std::ranges::any_of(document_.faults,
                               [&](const Fault& f) { return is_at_or_below(f.path); }) ||
           std::ranges::any_of(suggested_, is_at_or_below);
  }

  Document& document_;
  std::vector<Section> open_;      // from the root to the current one
  std::vector<Section> sections_;  // those left, and at last the root
  std::vector<Fault> broken_checks_;
  std::vector<std::string> suggested_;
};

void read_source(const std::string& path, Document& document) {
  const int source = document.add_source(path);
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    document.faults.push_back({{source, 0, 0}, "", message.substr(path.size() + 2)});
    return;
  }
  Node root = parse_yaml(text, source, document);
  if (root.kind == Kind::kSection) {
    merge(std::move(root), document.root);
  } else if (root.kind != Kind::kNull) {
    document.faults.push_back({root.place, "", must_be("keys with values (key: value)", root)});
  }
}

}  // namespace

Document read_sources(const Sources& sources) {
  Document document;
  for (const std::string& path : sources.files) read_source(path, document);
  if (!sources.files.empty())
    document.root.key_place = {static_cast<int>(sources.files.size()) - 1, 0, 0};
  for (const std::string& text : sources.overrides)
    merge(parse_override(text, document), document.root);
  return document;
}

void load(const Sources& sources, const Describe& describe) {
  Document document = read_sources(sources);
  // A source that cannot be read at all says nothing about its keys: checks would blame what was
  // never seen.
  if (std::ranges::any_of(document.faults, [](const Fault& fault) { return fault.path.empty(); }))
    document.throw_faults();
  Reader reader(document);
  describe(reader);
  reader.finish();
  document.throw_faults();
}

}  // namespace covrl::config
