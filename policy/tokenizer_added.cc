#include "policy/tokenizer_added.h"

#include <algorithm>

#include "core/error.h"
#include "policy/unicode.h"

namespace covrl {
namespace {

bool ends_with_word(std::string_view text) {
  size_t position = text.size();
  return position > 0 && is_word(previous_code_point(text, position));
}

bool starts_with_word(std::string_view text) {
  size_t position = 0;
  return !text.empty() && is_word(next_code_point(text, position));
}

size_t start_of_trailing_space(std::string_view text) {
  size_t start = text.size();
  for (size_t position = start; position > 0 && is_space(previous_code_point(text, position));) {
    start = position;
  }
  return start;
}

size_t end_of_leading_space(std::string_view text) {
  size_t end = 0;
  for (size_t position = 0; position < text.size() && is_space(next_code_point(text, position));) {
    end = position;
  }
  return end;
}

}  // namespace

int TokenTrie::child(int node, char byte) const {
  for (const auto& [label, target] : nodes_[node].children) {
    if (label == byte) return target;
  }
  return -1;
}

void TokenTrie::add(std::string_view text, const AddedToken* token) {
  int node = 0;
  for (const char byte : text) {
    int next = child(node, byte);
    if (next < 0) {
      next = static_cast<int>(nodes_.size());
      nodes_[node].children.emplace_back(byte, next);
      nodes_.emplace_back();
    }
    node = next;
  }
  if (nodes_[node].token == nullptr) nodes_[node].token = token;
}

const AddedToken* TokenTrie::longest(std::string_view text, size_t position, size_t& end) const {
  const AddedToken* found = nullptr;
  for (int node = 0; position < text.size();) {
    node = child(node, text[position]);
    if (node < 0) break;
    ++position;
    if (nodes_[node].token != nullptr) {
      found = nodes_[node].token;
      end = position;
    }
  }
  return found;
}

AddedVocabulary::AddedVocabulary(std::vector<AddedToken> tokens, const Bpe& bpe, bool nfc,
                                 const std::string& where) {
  int64_t next_id = bpe.num_tokens();
  for (AddedToken& token : tokens) {
    if (token.content.empty() || by_content_.contains(token.content)) continue;
    const int64_t own_id = bpe.token_to_id(token.content);
    const int64_t id = own_id >= 0 ? own_id : next_id;
    if (token.id != id) {
      throw_usage(where, ": added token \"", token.content, "\" has the id ", token.id, ", but ",
                  own_id >= 0 ? "the vocab gives it " : "the next free id is ", id);
    }
    if (own_id < 0) ++next_id;
    token.matched = token.normalized && nfc ? normalize_nfc(token.content) : token.content;
    const AddedToken& kept = by_id_[id] = std::move(token);
    by_content_[kept.content] = &kept;
    (kept.normalized ? normalized_ : raw_).add(kept.matched, &kept);
  }
}

std::vector<TextPiece> AddedVocabulary::split(std::string_view text, const TokenTrie& trie,
                                              bool parse_special) {
  std::vector<TextPiece> pieces;
  size_t done = 0;
  for (size_t position = 0; position < text.size() && !trie.empty();) {
    size_t start = position, end = position;
    const AddedToken* token = trie.longest(text, position, end);
    if (token == nullptr) {
      ++position;
      continue;
    }
    position = end;
    if (token->special && !parse_special) continue;
    if (token->single_word &&
        (ends_with_word(text.substr(0, start)) || starts_with_word(text.substr(end)))) {
      continue;
    }
    if (token->lstrip) start = std::max(start_of_trailing_space(text.substr(0, start)), done);
    if (token->rstrip) end += end_of_leading_space(text.substr(end));
    if (done < start) pieces.push_back({text.substr(done, start - done)});
    pieces.push_back({text.substr(start, end - start), token->id});
    done = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done)});
  return pieces;
}

std::vector<TextPiece> AddedVocabulary::split_raw(std::string_view text, bool parse_special) const {
  return split(text, raw_, parse_special);
}

std::vector<TextPiece> AddedVocabulary::split_normalized(std::string_view text,
                                                         bool parse_special) const {
  return split(text, normalized_, parse_special);
}

const AddedToken* AddedVocabulary::find(int64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

const AddedToken* AddedVocabulary::find(std::string_view content) const {
  const auto found = by_content_.find(content);
  return found == by_content_.end() ? nullptr : found->second;
}

int64_t AddedVocabulary::max_id() const { return by_id_.empty() ? -1 : by_id_.rbegin()->first; }

}  // namespace covrl
