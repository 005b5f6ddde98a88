// Overrides of the command line: `section.key=value`.
#include <utility>

#include "core/config_tree.h"
#include "core/error.h"

namespace covrl::config {
namespace {

// Everything in an override is at one place: the override.
void set_place(Node& node, const Place& place) {
  node.place = node.key_place = place;
  for (Node& item : node.items) set_place(item, place);
  for (Entry& entry : node.entries)
    for (Node& value : entry.values) set_place(value, place);
}

Node parse_value(const std::string& text, const Place& place, Document& document) {
  Node value{.kind = Node::Kind::kScalar, .text = "", .quoted = true};  // `key=` is the empty text
  const size_t num_faults = document.faults.size();
  if (!text.empty()) value = parse_yaml(text, place.source, document);
  for (size_t i = num_faults; i < document.faults.size(); ++i) {
    document.faults[i].place = place;
    document.faults[i].message += " (quote the value if it is text)";
  }
  set_place(value, place);
  return value;
}

}  // namespace

Node parse_override(const std::string& text, Document& document) {
  const Place place{document.add_source("override '" + text + "'"), 0, 0};
  Node root{.kind = Node::Kind::kSection, .place = place, .key_place = place};
  const size_t equals = text.find('=');
  const std::string path = text.substr(0, equals);
  if (equals == std::string::npos || path.empty() ||
      ("." + path + ".").find("..") != std::string::npos) {
    document.faults.push_back({place, "", "an override is written section.key=value"});
    return root;
  }
  Node value = parse_value(text.substr(equals + 1), place, document);
  for (size_t end = path.size();;) {
    const size_t dot = path.rfind('.', end - 1);
    const size_t start = dot == std::string::npos ? 0 : dot + 1;
    Entry entry{path.substr(start, end - start), {}};
    entry.values.push_back(std::move(value));
    value = Node{.kind = Node::Kind::kSection, .place = place, .key_place = place};
    value.entries.push_back(std::move(entry));
    if (start == 0) return value;
    end = dot;
  }
}

}  // namespace covrl::config
