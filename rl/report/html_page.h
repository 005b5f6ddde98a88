// The frame of the offline pages: style inline, nothing from elsewhere.
#pragma once

#include <string>

namespace covrl {

// A whole document; `title` is text, `body` is HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace covrl
