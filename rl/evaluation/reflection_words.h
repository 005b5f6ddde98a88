// Words by which a response shows that it looks back at its own work (arXiv 2504.20571 counts
// responses with "rethink", "recheck", "recalculate").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace covrl {

// Whether `text` holds one of `words` as a whole word, whatever the case, or an inflection of it:
// with -s, -es, -ed or -ing; after a dropped final e also with -ion ("recalculation"). A phrase is
// a word with single spaces; its last word is inflected.
bool has_word(std::string_view text, const std::vector<std::string>& words);

}  // namespace covrl
