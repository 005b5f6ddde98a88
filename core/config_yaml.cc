// YAML events to a tree. The node API of yaml-cpp 0.7 keeps the first of duplicate keys without a
// word; events show both.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

#include "core/config_tree.h"
#include "core/error.h"

namespace covrl::config {
namespace {

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(int source, Document& document) : source_(source), document_(document) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(started_, true)) refuse(mark, "a second document; a file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) refuse(mark, "a key must be a word");
    add(Node{.place = place(mark)}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) refuse(mark, "a key must be a word");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "an alias inside of what it stands for");
    num_copied_ += count_nodes(found->second);
    if (num_copied_ > kMostCopied) refuse(mark, "aliases expand to too much");
    add(found->second, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (expects_key()) {
      open_.back().key = value;
      open_.back().key_place = place(mark);
      open_.back().has_key = true;
      return;
    }
    const bool quoted = tag == "!";  // yaml-cpp marks plain scalars with "?"
    add(Node{.kind = Node::Kind::kScalar, .text = value, .quoted = quoted, .place = place(mark)},
        anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::kList);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::kSection);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::string key = {};
    Place key_place = {};
    bool has_key = false;
  };

  // Aliases of aliases grow without bound; no configuration comes near this.
  static constexpr size_t kMostCopied = 100000;

  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& message) {
    throw YAML::ParserException(mark, message);
  }
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag != "?" && tag != "!" && !tag.empty())
      refuse(mark, "tags are not supported, got " + tag);
  }

  Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }
  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::kSection &&
           !open_.back().has_key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    check_tag(mark, tag);
    if (expects_key()) refuse(mark, "a key must be a word");
    open_.push_back({.node = Node{.kind = kind, .place = place(mark)}, .anchor = anchor});
  }
  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }

  static size_t count_nodes(const Node& node) {
    size_t count = 1;
    for (const Node& item : node.items) count += count_nodes(item);
    for (const Entry& entry : node.entries)
      for (const Node& value : entry.values) count += count_nodes(value);
    return count;
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    parent.has_key = false;
    node.key_place = parent.key_place;
    if (node.kind == Node::Kind::kNull) node.place = parent.key_place;
    add_entry(parent, std::move(node));
  }

  void add_entry(Open& parent, Node node) {
    if (const Entry* first = parent.node.find(parent.key)) {
      const Place& place = first->values.front().key_place;
      document_.faults.push_back(
          {parent.key_place, dotted_path(),
           concat("duplicate key, first given at line ", place.line, "; remove one of the two")});
      return;
    }
    Entry entry{parent.key, {}};
    entry.values.push_back(std::move(node));
    parent.node.entries.push_back(std::move(entry));
  }

  std::string dotted_path() const {
    std::string path;
    for (const Open& open : open_)
      if (open.has_key || &open == &open_.back()) path += (path.empty() ? "" : ".") + open.key;
    return path;
  }

  int source_;
  Document& document_;
  bool started_ = false;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  size_t num_copied_ = 0;  // nodes that aliases stand for
};

// Bytes from the start of a text that are well-formed UTF-8 (yaml-cpp does not look).
size_t count_utf8_bytes(const std::string& text) {
  const auto continues = [&](size_t at) { return at < text.size() && (text[at] & 0xC0) == 0x80; };
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xC2 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF5 ? 4
                                        : 0;
    if (length == 0) return at;
    for (size_t i = 1; i < length; ++i)
      if (!continues(at + i)) return at;
    const auto second = length > 2 ? static_cast<unsigned char>(text[at + 1]) : 0;
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool surrogate = lead == 0xED && second > 0x9F;
    if (overlong || surrogate || (lead == 0xF4 && second > 0x8F)) return at;
    at += length;
  }
  return at;
}

void check_encoding(const std::string& text) {
  const size_t valid = count_utf8_bytes(text);
  if (valid == text.size()) return;
  YAML::Mark mark;
  for (size_t i = 0; i < valid; ++i) {
    const bool newline = text[i] == '\n';
    mark.line += newline ? 1 : 0;
    mark.column = newline ? 0 : mark.column + 1;
  }
  throw YAML::ParserException(mark, "a byte that is not UTF-8");
}

}  // namespace

Node parse_yaml(const std::string& text, int source, Document& document) {
  TreeBuilder builder(source, document);
  try {
    check_encoding(text);
    std::istringstream input(text);
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const YAML::Exception& error) {
    Place place{source, 0, 0};
    if (!error.mark.is_null()) place = {source, error.mark.line + 1, error.mark.column + 1};
    document.faults.push_back({place, "", "not valid YAML: " + error.msg});
    return {};
  }
}

}  // namespace covrl::config
