#include "policy/bpe.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "core/error.h"
#include "policy/unicode.h"

namespace covrl {
namespace {

constexpr int64_t kMaxId = (int64_t{1} << 24) - 1;

// GPT-2: printable bytes stand for themselves, the others for the code points from U+0100 on, in
// order.
bool is_own_letter(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

uint64_t pair_key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
}

}  // namespace

const std::array<std::string, 256>& byte_letters() {
  static const std::array<std::string, 256> letters = [] {
    std::array<std::string, 256> result;
    char32_t shifted = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      append_code_point(result[byte],
                        is_own_letter(byte) ? static_cast<char32_t>(byte) : shifted++);
    }
    return result;
  }();
  return letters;
}

std::string token_bytes(std::string_view token) {
  static const std::unordered_map<char32_t, char> byte_of = [] {
    std::unordered_map<char32_t, char> result;
    for (int byte = 0; byte < 256; ++byte) {
      size_t position = 0;
      result[next_code_point(byte_letters()[byte], position)] = static_cast<char>(byte);
    }
    return result;
  }();
  std::string bytes;
  for (size_t position = 0; position < token.size();) {
    const auto found = byte_of.find(next_code_point(token, position));
    if (found == byte_of.end()) return std::string(token);
    bytes += found->second;
  }
  return bytes;
}

Bpe::Bpe(BpeModel model, const std::string& where)
    : fuse_unk_(model.fuse_unk), ignore_merges_(model.ignore_merges) {
  add_vocab(model, where);
  add_merges(model, where);
  for (int byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = static_cast<int32_t>(token_to_id(byte_letters()[byte]));
  }
  if (!model.unk_token.empty()) {
    unk_id_ = static_cast<int32_t>(token_to_id(model.unk_token));
    if (unk_id_ < 0)
      throw_usage(where, ": unk_token \"", model.unk_token, "\" is not in the vocab");
  }
}

void Bpe::add_vocab(BpeModel& model, const std::string& where) {
  int64_t max_id = -1;
  for (const auto& [token, id] : model.vocab) {
    if (id < 0 || id > kMaxId) {
      throw_usage(where, ": vocab gives \"", token, "\" the id ", id, "; ids are 0 to ", kMaxId);
    }
    max_id = std::max(max_id, id);
  }
  tokens_.resize(max_id + 1);
  used_.resize(max_id + 1);
  id_of_.reserve(model.vocab.size());
  for (auto& [token, id] : model.vocab) {
    if (used_[id]) {
      throw_usage(where, ": vocab gives the id ", id, " to both \"", tokens_[id], "\" and \"",
                  token, "\"");
    }
    used_[id] = true;
    tokens_[id] = std::move(token);
    const auto [entry, inserted] = id_of_.emplace(tokens_[id], static_cast<int32_t>(id));
    if (!inserted) {
      throw_usage(where, ": vocab has \"", tokens_[id], "\" twice, as ", entry->second, " and ",
                  id);
    }
  }
}

void Bpe::add_merges(const BpeModel& model, const std::string& where) {
  merges_.reserve(model.merges.size());
  std::string joined;
  for (size_t rank = 0; rank < model.merges.size(); ++rank) {
    const auto& [left, right] = model.merges[rank];
    joined.assign(left).append(right);
    const int64_t ids[3] = {token_to_id(left), token_to_id(right), token_to_id(joined)};
    const std::string* parts[3] = {&left, &right, &joined};
    for (int i = 0; i < 3; ++i) {
      if (ids[i] < 0) {
        throw_usage(where, ": merge ", rank + 1, " (\"", left, "\" \"", right, "\"): \"", *parts[i],
                    "\" is not in the vocab");
      }
    }
    merges_[pair_key(static_cast<int32_t>(ids[0]), static_cast<int32_t>(ids[1]))] = {
        static_cast<int32_t>(rank), static_cast<int32_t>(ids[2])};
  }
}

int64_t Bpe::token_to_id(std::string_view token) const {
  const auto found = id_of_.find(token);
  return found == id_of_.end() ? -1 : found->second;
}

const std::string* Bpe::id_to_token(int64_t id) const {
  return id >= 0 && id <= max_id() && used_[id] ? &tokens_[id] : nullptr;
}

const Bpe::Merge* Bpe::find_merge(int32_t left, int32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<Bpe::Symbol> Bpe::initial_symbols(std::string_view bytes) const {
  std::vector<Symbol> symbols;
  symbols.reserve(bytes.size());
  bool after_unknown = false;
  for (const char byte : bytes) {
    const int32_t id = byte_ids_[static_cast<uint8_t>(byte)];
    const bool unknown = id < 0;
    if (!unknown || (unk_id_ >= 0 && !(fuse_unk_ && after_unknown))) {
      const auto position = static_cast<int32_t>(symbols.size());
      symbols.push_back({unknown ? unk_id_ : id, position - 1, position + 1});
    }
    after_unknown = unknown;
  }
  if (!symbols.empty()) symbols.back().next = -1;
  return symbols;
}

void Bpe::merge_all(std::vector<Symbol>& symbols) const {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    if (const Merge* merge = find_merge(symbols[i].id, symbols[i + 1].id)) {
      candidates.push_back({merge->rank, static_cast<int32_t>(i), merge->result});
    }
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue(
      std::greater<>(), std::move(candidates));
  const auto propose = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return;
    if (const Merge* merge = find_merge(symbols[left].id, symbols[symbols[left].next].id)) {
      queue.push({merge->rank, left, merge->result});
    }
  };
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = symbols[top.position];
    if (left.id < 0 || left.next < 0) continue;
    Symbol& right = symbols[left.next];
    // A neighbour may have changed since the candidate was queued. The library compares the result,
    // not the rank.
    const Merge* merge = find_merge(left.id, right.id);
    if (merge == nullptr || merge->result != top.result) continue;
    left.id = top.result;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbols[left.next].previous = top.position;
    propose(left.previous);
    propose(top.position);
  }
}

void Bpe::encode_word(std::string_view bytes, std::vector<int64_t>& ids) const {
  if (ignore_merges_) {
    std::string token;
    for (const char byte : bytes) token += byte_letters()[static_cast<uint8_t>(byte)];
    if (const int64_t id = token_to_id(token); id >= 0) {
      ids.push_back(id);
      return;
    }
  }
  std::vector<Symbol> symbols = initial_symbols(bytes);
  merge_all(symbols);
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

}  // namespace covrl
