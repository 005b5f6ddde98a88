#include "policy/chat_template_parser.h"

#include <algorithm>
#include <initializer_list>

#include "core/error.h"

namespace covrl::jinja {
namespace {

constexpr int kMaxBlockDepth = 100;

class TemplateParser {
 public:
  TemplateParser(std::string_view source, const std::string& where)
      : chunks_(split_template(source, where)), where_(where) {}

  Block parse() {
    Block block = parse_block({}, 1);
    return block;
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  // The first word of a statement tag.
  static std::string keyword(const Chunk& chunk) {
    const bool is_word =
        chunk.kind == Chunk::Kind::kStatement && chunk.tokens[0].kind == Token::Kind::kName;
    return is_word ? chunk.tokens[0].text : "";
  }

  [[noreturn]] void fail(int line, const std::string& message) const {
    throw_usage(where_, ":", line, ": chat template: ", message);
  }

  // Statements up to one of the tags `ends`, which becomes the current chunk; without ends, to the
  // end of the template.
  Block parse_block(Names ends, int opened_at) {
    if (++depth_ > kMaxBlockDepth) fail(opened_at, "blocks nest too deep");
    Block block;
    for (;; ++position_) {
      if (position_ == chunks_.size()) {
        if (ends.size() == 0) break;
        fail(opened_at, concat("a block is not closed by {% ", *(ends.end() - 1), " %}"));
      }
      if (std::find(ends.begin(), ends.end(), keyword(chunks_[position_])) != ends.end()) break;
      block.statements.push_back(parse_chunk(chunks_[position_]));
    }
    --depth_;
    return block;
  }

  std::unique_ptr<const Statement> parse_chunk(const Chunk& chunk) {
    if (chunk.kind == Chunk::Kind::kText) return std::make_unique<Text>(chunk.line, chunk.text);
    ExpressionParser parser(chunk.tokens, where_);
    if (chunk.kind == Chunk::Kind::kExpression) {
      ExpressionPointer expression = parser.parse_tuple(true);
      parser.expect_end();
      return std::make_unique<Output>(chunk.line, std::move(expression));
    }
    const std::string word = parser.expect_any_name();
    if (word == "if") return parse_if(chunk.line, parser);
    if (word == "for") return parse_for(chunk.line, parser);
    if (word == "set") return parse_set(chunk.line, parser);
    if (word == "macro") return parse_macro(chunk.line, parser);
    if (word == "break" || word == "continue") return parse_jump(chunk.line, parser, word);
    if (word == "generation") {
      parser.expect_end();
      return std::make_unique<Generation>(chunk.line, parse_body({"endgeneration"}, chunk.line));
    }
    parser.unsupported("the tag {% " + word + " %}");
  }

  // The block behind the current tag, through its end tag.
  Block parse_body(Names ends, int opened_at) {
    ++position_;
    return parse_block(ends, opened_at);
  }

  std::unique_ptr<const Statement> parse_if(int line, ExpressionParser& parser) {
    If::Branches branches;
    ExpressionPointer condition = parser.parse_tuple(false);
    parser.expect_end();
    branches.emplace_back(std::move(condition), parse_body({"elif", "else", "endif"}, line));
    while (keyword(chunks_[position_]) == "elif") {
      ExpressionParser branch(chunks_[position_].tokens, where_);
      branch.expect_any_name();
      ExpressionPointer next = branch.parse_tuple(false);
      branch.expect_end();
      branches.emplace_back(std::move(next), parse_body({"elif", "else", "endif"}, line));
    }
    if (keyword(chunks_[position_]) == "else") {
      branches.emplace_back(nullptr, parse_body({"endif"}, line));
    }
    return std::make_unique<If>(line, std::move(branches));
  }

  std::unique_ptr<const Statement> parse_for(int line, ExpressionParser& parser) {
    For::Parts parts;
    parts.target = parser.parse_target();
    if (!parser.accept_name("in")) parser.fail("expected 'in' after the names of for");
    parts.sequence = parser.parse_tuple(false);
    if (parser.accept_name("if")) parts.condition = parser.parse_expression();
    if (parser.at_name("recursive")) parser.unsupported("a recursive for");
    parser.expect_end();
    ++loops_;
    parts.body = parse_body({"else", "endfor"}, line);
    --loops_;
    if (keyword(chunks_[position_]) == "else") parts.otherwise = parse_body({"endfor"}, line);
    return std::make_unique<For>(line, std::move(parts));
  }

  std::unique_ptr<const Statement> parse_set(int line, ExpressionParser& parser) {
    Target target = parser.parse_target();
    if (parser.accept_operator("=")) {
      ExpressionPointer value = parser.parse_tuple(true);
      parser.expect_end();
      return std::make_unique<Set>(line, std::move(target), std::move(value));
    }
    SetBlock::Filters filters;
    while (parser.accept_operator("|")) {
      std::string name = parser.parse_dotted_name();
      ArgumentList arguments =
          parser.accept_operator("(") ? parser.parse_arguments() : ArgumentList();
      filters.emplace_back(std::move(name), std::move(arguments));
    }
    parser.expect_end();
    Block body = parse_body({"endset"}, line);
    return std::make_unique<SetBlock>(line, std::move(target), std::move(filters), std::move(body));
  }

  std::unique_ptr<const Statement> parse_macro(int line, ExpressionParser& parser) {
    std::string name = parser.expect_any_name();
    parser.expect_operator("(");
    std::vector<Macro::Parameter> parameters;
    while (!parser.at_operator(")")) {
      Macro::Parameter parameter{parser.expect_any_name(), nullptr};
      if (parser.accept_operator("=")) parameter.default_value = parser.parse_expression();
      parameters.push_back(std::move(parameter));
      if (!parser.accept_operator(",")) break;
    }
    parser.expect_operator(")");
    parser.expect_end();
    const int loops = loops_;
    loops_ = 0;
    Block body = parse_body({"endmacro"}, line);
    loops_ = loops;
    return std::make_unique<Macro>(line, std::move(name), std::move(parameters), std::move(body));
  }

  std::unique_ptr<const Statement> parse_jump(int line, ExpressionParser& parser,
                                              const std::string& word) {
    parser.expect_end();
    if (loops_ == 0) fail(line, "{% " + word + " %} outside a loop");
    return std::make_unique<Jump>(line, word == "break" ? Flow::kBreak : Flow::kContinue);
  }

  std::vector<Chunk> chunks_;
  const std::string& where_;
  size_t position_ = 0;
  int depth_ = 0;
  int loops_ = 0;  // around the current statement
};

}  // namespace

Block parse_template(std::string_view source, const std::string& where) {
  return TemplateParser(source, where).parse();
}

}  // namespace covrl::jinja
