#include "rl/data_report.h"

#include <array>
#include <map>
#include <set>

#include "core/error.h"

namespace covrl {
namespace {

constexpr size_t kMaxShown = 1500;  // bytes of a prompt

std::string indented(const std::string& text) {
  std::string result = "  | ";
  for (const char letter : text) {
    result += letter;
    if (letter == '\n') result += "  | ";
  }
  return result;
}

// Head and tail of what is too long to be read at a glance; cut between characters of UTF-8.
std::string shortened(const std::string& text) {
  if (text.size() <= kMaxShown) return text;
  const auto begins_character = [&](size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
  };
  size_t head = kMaxShown / 2, tail = text.size() - kMaxShown / 2;
  while (!begins_character(head)) --head;
  while (tail < text.size() && !begins_character(tail)) ++tail;
  return concat(text.substr(0, head), "\n[... ", tail - head, " bytes ...]\n", text.substr(tail));
}

// Whether the answer itself is judged right neither in a box nor bare.
bool refuses_gold(const Verifier& verifier, const Prompt& prompt) {
  for (const std::string& response : {"\\boxed{" + prompt.gold + "}", prompt.gold}) {
    VerifyRequest request;
    request.response = response;
    request.gold = prompt.gold;
    request.data_source = prompt.data_source;
    request.extra_info = prompt.extra_info;
    if (verifier.verify(request).outcome == Outcome::kCorrect) return false;
  }
  return true;
}

}  // namespace

std::string rendered_prompts(const PromptSet& set, const Tokenizer& tokenizer) {
  constexpr size_t kNumShown = 3;
  std::set<std::vector<int64_t>> shown;
  std::string text;
  for (const Prompt& prompt : set.prompts) {
    if (shown.size() == kNumShown) break;
    if (!shown.insert(prompt.tokens).second) continue;
    text +=
        concat(text.empty() ? "" : "\n", "Prompt ", shown.size(), ": id ", prompt.id, ", ",
               prompt.tokens.size(), " tokens, answer '", prompt.gold, "'\n",
               indented(shortened(tokenizer.decode(prompt.tokens, /*skip_special_tokens=*/false))));
  }
  return text;
}

std::vector<GoldFault> find_gold_faults(const PromptSet& set, const Verifier& verifier) {
  std::map<std::array<std::string, 3>, bool> known;  // answer, source and extra_info -> refused
  std::set<std::string> ids;
  std::vector<GoldFault> faults;
  for (const Prompt& prompt : set.prompts) {
    const auto [entry, is_new] =
        known.try_emplace({prompt.gold, prompt.data_source, prompt.extra_info});
    if (is_new) entry->second = refuses_gold(verifier, prompt);
    if (entry->second && ids.insert(prompt.id).second) faults.push_back({prompt.id, prompt.gold});
  }
  return faults;
}

std::string gold_fault_text(const std::vector<GoldFault>& faults, const PromptSet& set) {
  constexpr size_t kNumShown = 5;
  if (faults.empty()) return "";
  std::string text = concat(
      faults.size(), " of ", set.num_distinct,
      faults.size() == 1 ? " problems has an answer" : " problems have an answer",
      " that the verifier accepts neither in a box nor bare, so that no completion may be right:");
  for (size_t i = 0; i < faults.size() && i < kNumShown; ++i)
    text += concat(i == 0 ? " " : ", ", faults[i].id, " '", faults[i].gold, "'");
  return faults.size() > kNumShown ? text + ", ..." : text;
}

std::string merge_copies_fault(const PromptSet& set, int64_t batch_size) {
  const auto num_prompts = static_cast<int64_t>(set.prompts.size());
  if (set.num_distinct < num_prompts || batch_size > num_prompts) return "";
  const bool spans = num_prompts % batch_size != 0;
  return concat("data.merge_copies has ", spans ? "little" : "nothing", " to merge: none of the ",
                num_prompts, " prompts has a copy, and a batch holds ", batch_size,
                spans ? ", so that one comes twice only where a batch spans two epochs" : "",
                "; remove it, or give copies with data.repeat or data.shares");
}

}  // namespace covrl
