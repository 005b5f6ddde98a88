// What the user wrote, as a tree with the place of everything: private to the configuration
// (config_*.cc).
//
// Files and overrides are merged left to right. Sections merge key by key; of anything else every
// value that was written is kept, so that a fault in one that a later file replaces is still
// reported. The last value counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace covrl::config {

// Where something was written. Lines and columns count from 1; 0: the source as a whole.
struct Place {
  int source = -1;  // index into Document::sources; -1: nowhere
  int line = 0;
  int column = 0;
};

struct Entry;

struct Node {
  enum class Kind { kNull, kScalar, kList, kSection };
  Kind kind = Kind::kNull;
  std::string text = {};  // of a scalar
  bool quoted = false;
  Place place = {};
  Place key_place = {};             // of the key it is the value of
  std::vector<Node> items = {};     // of a list
  std::vector<Entry> entries = {};  // of a section

  const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  std::vector<Node> values;

  // The value that is a section, if one is.
  const Node* section() const;
};

struct Fault {
  Place place;
  std::string path;  // dotted key, "" for a fault of the whole source
  std::string message;
};

struct Document {
  std::vector<std::string> sources;  // "a.yaml", "override 'a.b=v'"
  Node root{.kind = Node::Kind::kSection};
  std::vector<Fault> faults;

  int add_source(const std::string& name);
  std::string name(const Place& place) const;
  // All faults in the order of their places as one Error(kUsage); returns when there are none.
  void throw_faults();
};

// Merges the section `from` into the section `into`.
void merge(Node from, Node& into);

// Parses the YAML `text` of one source. Faults go to the document; a syntax error gives a null
// node.
Node parse_yaml(const std::string& text, int source, Document& document);

// Parses `a.b=v` into nested sections.
Node parse_override(const std::string& text, Document& document);

// Files left to right, then overrides; what cannot be read is a fault of the document.
Document read_sources(const Sources& sources);

}  // namespace covrl::config
