#include "rl/report/html_page.h"

#include "rl/report/svg_chart.h"

namespace covrl {
namespace {

constexpr const char* kStyle =
    ":root{--ink:#1c2430;--soft:#5b6675;--line:#e3e7ec;--card:#fff;--page:#f6f7f9;--good:#2a9d5c;--"
    "bad:#c73a5a}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#9aa5b3;--line:#2d3540;--card:#"
    "1a2029;--page:#12161c}}"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0 "
    "auto;max-width:1180px;padding:24px}"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:28px 0 "
    "10px}p{color:var(--soft);margin:0 0 16px}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:14px}"
    "table{border-collapse:collapse;background:var(--card)}td,th{padding:5px 14px;border:1px solid "
    "var(--line);text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    ".solutions{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:14px}"
    "article{border:1px solid var(--line);border-left:4px solid "
    "var(--soft);border-radius:6px;padding:10px;background:var(--card)}"
    "article.correct{border-left-color:var(--good)}article.wrong{border-left-color:var(--bad)}"
    "article "
    "header{font-size:13px;color:var(--soft)}pre{white-space:pre-wrap;overflow-wrap:anywhere;"
    "margin:8px 0 0;font-size:13px}"
    "pre.q{color:var(--soft)}details pre{background:var(--card);border:1px solid "
    "var(--line);padding:12px}";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\"><title>" +
         escape_html(title) + " - covrl</title><style>" + kStyle + chart_style() + "</style>\n" +
         body + "</html>\n";
}

}  // namespace covrl
