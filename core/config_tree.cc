#include "core/config_tree.h"

#include <algorithm>
#include <tuple>

#include "core/error.h"

namespace covrl::config {

const Entry* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

const Node* Entry::section() const {
  const auto found = std::ranges::find(values, Node::Kind::kSection, &Node::kind);
  return found == values.end() ? nullptr : &*found;
}

int Document::add_source(const std::string& name) {
  sources.push_back(name);
  return static_cast<int>(sources.size()) - 1;
}

std::string Document::name(const Place& place) const {
  if (place.source < 0) return "configuration";
  const std::string& source = sources[static_cast<size_t>(place.source)];
  return place.line == 0 ? source : concat(source, ":", place.line, ":", place.column);
}

void Document::throw_faults() {
  if (faults.empty()) return;
  std::ranges::stable_sort(faults, {}, [](const Fault& fault) {
    return std::make_tuple(fault.place.source, fault.place.line, fault.place.column);
  });
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += "\n";
    text += name(fault.place) + ": ";
    if (!fault.path.empty()) text += fault.path + ": ";
    text += fault.message;
  }
  throw Error(ErrorKind::kUsage, text);
}

void merge(Node from, Node& into) {
  for (Entry& entry : from.entries) {
    const auto known = std::ranges::find(into.entries, entry.key, &Entry::key);
    if (known == into.entries.end()) {
      into.entries.push_back(std::move(entry));
      continue;
    }
    for (Node& value : entry.values) {
      const auto section = std::ranges::find(known->values, Node::Kind::kSection, &Node::kind);
      if (value.kind == Node::Kind::kSection && section != known->values.end()) {
        merge(std::move(value), *section);
      } else {
        known->values.push_back(std::move(value));
      }
    }
  }
}

}  // namespace covrl::config
