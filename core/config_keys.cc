#include "core/config_keys.h"

#include "core/config_tree.h"

namespace covrl::config {
namespace {

void add_keys(const Document& document, const Node& section, const std::string& path,
              std::vector<WrittenKey>& keys) {
  for (const Entry& entry : section.entries) {
    const std::string key = path.empty() ? entry.key : path + "." + entry.key;
    if (const Node* inner = entry.section())
      add_keys(document, *inner, key, keys);
    else
      keys.push_back({key, document.name(entry.values.back().key_place)});
  }
}

}  // namespace

std::vector<WrittenKey> written_keys(const Sources& sources) {
  Document document = read_sources(sources);
  document.throw_faults();
  std::vector<WrittenKey> keys;
  add_keys(document, document.root, "", keys);
  return keys;
}

}  // namespace covrl::config
