#include "policy/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"

namespace covrl {
namespace {

struct Range {
  char32_t first, last;
};

// \p{L} and \p{N} of Unicode 15.1 and 16, which ICU 72 lacks. A newer ICU knows them too: the union
// is the same.
constexpr Range kYoungLetters[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}};
constexpr Range kYoungNumbers[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
                                   {0x16130, 0x16139}, {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9},
                                   {0x1E5F1, 0x1E5FA}};

template <size_t n>
bool in_ranges(const Range (&ranges)[n], char32_t code_point) {
  const Range* range = std::lower_bound(
      std::begin(ranges), std::end(ranges), code_point,
      [](const Range& candidate, char32_t wanted) { return candidate.last < wanted; });
  return range != std::end(ranges) && range->first <= code_point;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

uint32_t category_mask(char32_t code_point) {
  return U_MASK(u_charType(static_cast<UChar32>(code_point)));
}

struct NfcNormalizer {
  icu::UnicodeSet known;
  icu::FilteredNormalizer2 normalizer;
  static icu::UnicodeSet known_to_unicode_9() {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet set(icu::UnicodeString::fromUTF8("[:age=9.0:]"), status);
    COVRL_CHECK(U_SUCCESS(status), u_errorName(status));
    set.freeze();
    return set;
  }
  static const icu::Normalizer2& nfc() {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* instance = icu::Normalizer2::getNFCInstance(status);
    COVRL_CHECK(U_SUCCESS(status), u_errorName(status));
    return *instance;
  }
  NfcNormalizer() : known(known_to_unicode_9()), normalizer(nfc(), known) {}
};

template <class Map>
std::string map_case(std::string_view text, const Map& map) {
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  UErrorCode status = U_ZERO_ERROR;
  map("", 0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr,
      status);
  COVRL_CHECK(U_SUCCESS(status), u_errorName(status));
  return result;
}

}  // namespace

std::string replace_broken_utf8(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string result;
  result.reserve(text.size());
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto length = static_cast<int64_t>(text.size());
  for (int64_t position = 0; position < length;) {
    const int64_t start = position;
    UChar32 code_point;
    U8_NEXT(bytes, position, length, code_point);
    if (code_point < 0) {
      result += "\xEF\xBF\xBD";
    } else {
      result.append(text.substr(start, position - start));
    }
  }
  return result;
}

char32_t next_code_point(std::string_view text, size_t& position) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  UChar32 code_point;
  U8_NEXT_UNSAFE(bytes, position, code_point);
  return static_cast<char32_t>(code_point);
}

char32_t previous_code_point(std::string_view text, size_t& position) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  UChar32 code_point;
  U8_PREV_UNSAFE(bytes, position, code_point);
  return static_cast<char32_t>(code_point);
}

void append_code_point(std::string& text, char32_t code_point) {
  uint8_t bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, code_point);
  text.append(reinterpret_cast<const char*>(bytes), length);
}

size_t count_code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

bool is_letter(char32_t code_point) {
  if (code_point < 0x80) return (code_point | 0x20) - U'a' < 26;
  return (category_mask(code_point) & U_GC_L_MASK) != 0 || in_ranges(kYoungLetters, code_point);
}

bool is_number(char32_t code_point) {
  if (code_point < 0x80) return code_point - U'0' < 10;
  return (category_mask(code_point) & U_GC_N_MASK) != 0 || in_ranges(kYoungNumbers, code_point);
}

bool is_space(char32_t code_point) {
  if (code_point < 0x80) return code_point == U' ' || code_point - U'\t' < 5;
  return u_isUWhiteSpace(static_cast<UChar32>(code_point));
}

bool is_word(char32_t code_point) {
  constexpr uint32_t kMarksDigitsConnectors = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  const auto c = static_cast<UChar32>(code_point);
  return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) ||
         (category_mask(code_point) & kMarksDigitsConnectors) != 0 ||
         in_ranges(kYoungLetters, code_point) || in_ranges(kYoungNumbers, code_point);
}

bool is_printable(char32_t code_point) {
  constexpr uint32_t kUnprintable = U_GC_C_MASK | U_GC_Z_MASK;
  return code_point == U' ' || (category_mask(code_point) & kUnprintable) == 0;
}

std::string normalize_nfc(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  static const NfcNormalizer nfc;
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  UErrorCode status = U_ZERO_ERROR;
  nfc.normalizer.normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())),
                               sink, nullptr, status);
  COVRL_CHECK(U_SUCCESS(status), u_errorName(status));
  return result;
}

std::string to_upper(std::string_view text) {
  return map_case(text, [](auto&&... args) { icu::CaseMap::utf8ToUpper(args...); });
}

std::string to_lower(std::string_view text) {
  return map_case(text, [](auto&&... args) { icu::CaseMap::utf8ToLower(args...); });
}

std::string to_title(char32_t code_point) {
  std::string result;
  append_code_point(result, static_cast<char32_t>(u_totitle(static_cast<UChar32>(code_point))));
  return result;
}

}  // namespace covrl
