#include "policy/chat_template.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/tokenizer.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

using testing::reference_path;

std::vector<Message> read_messages(const Json& list) {
  std::vector<Message> messages;
  for (const Json& message : list) messages.push_back({message["role"], message["content"]});
  return messages;
}

ChatVariables read_variables(const Json& kwargs) {
  ChatVariables variables;
  for (const auto& [key, value] : kwargs.items()) {
    std::string& place = key == "bos_token"     ? variables.bos_token
                         : key == "eos_token"   ? variables.eos_token
                         : key == "date_string" ? variables.date_string
                                                : variables.extra[key];
    place = value.get<std::string>();
  }
  return variables;
}

struct GoldenCount {
  int texts = 0, ids = 0;
};

void check_golden_row(const Json& row, GoldenCount& count) {
  const std::string jinja =
      concat("fixtures/tokenizers/chat_templates/", row["template"].get<std::string>(), ".jinja");
  const auto messages = read_messages(row["messages"]);
  const ChatVariables variables = read_variables(row["kwargs"]);
  const bool prompt = row["add_generation_prompt"];
  const auto chat = load_chat_template("", reference_path(jinja));
  const std::string text = chat->render(messages, prompt, variables);
  EXPECT_EQ(text, row["text"].get<std::string>()) << row["id"];
  EXPECT_EQ(load_chat_template("", row["template"])->render(messages, prompt, variables), text)
      << row["id"];
  ++count.texts;
  const std::string dir =
      reference_path("fixtures/tokenizers/" + row["tokenizer"].get<std::string>());
  if (dir.empty()) return;
  if (row["own_template"]) {
    EXPECT_EQ(load_chat_template(dir)->render(messages, prompt, variables), text) << row["id"];
  }
  static std::map<std::string, Tokenizer> tokenizers;
  auto found = tokenizers.find(dir);
  if (found == tokenizers.end()) found = tokenizers.emplace(dir, Tokenizer::from_dir(dir)).first;
  EXPECT_EQ(found->second.encode(text, {.add_special_tokens = false}),
            row["ids"].get<std::vector<int64_t>>())
      << row["id"];
  ++count.ids;
}

TEST(ChatTemplate, RendersAsTransformers) {
  const std::string golden = reference_path("fixtures/golden/tokenizer/chat.jsonl");
  COVRL_REQUIRE_REFERENCE(golden);
  GoldenCount count;
  read_jsonl(golden, [&](int64_t, const Json& row) { check_golden_row(row, count); });
  RecordProperty("texts", count.texts);
  RecordProperty("ids", count.ids);
  EXPECT_GE(count.texts, 60);
  EXPECT_GE(count.ids, 30);
}

const std::vector<Message> kTalk{{"system", " Be  brief.\n"},
                                 {"user", "H\u00e9 \"q\" <b>\n\t1+1?"},
                                 {"assistant", "<think>\nx\n</think>\n\n2 "},
                                 {"tool", "{\"a\": 1}"},
                                 {"user", "ok \u4e2d\u6587"}};

std::string render(const std::string& jinja) {
  const ChatVariables variables{"<s>", "</s>", "1 Jan 2025", {{"extra_word", "w"}}};
  return parse_chat_template(jinja, "test.jinja")->render(kTalk, true, variables);
}

std::string error_of(const std::string& jinja) {
  try {
    return "no error, but " + render(jinja);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
}

struct Case {
  const char *jinja, *expected;
};

// Expected texts are those of Jinja 3.1.6 with the settings of transformers.
const Case kCases[] = {
    {R"j({{ messages[::-1][0].content }}|{{ messages[1:]|length }}|{{ messages[-1].role }}|{{ messages[10] }}|{{ 'abcdef'[1:5:2] }}|{{ 'héllo'[::-1] }})j",
     "ok 中文|4|user||bd|olléh"},
    {R"j({% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem.role if loop.previtem is defined }}{{ loop.nextitem.role if loop.nextitem }};{% endfor %})j",
     "10TrueFalse5user;21FalseFalse5systemassistant;32FalseFalse5usertool;"
     "43FalseFalse5assistantuser;54FalseTrue5tool;"},
    {R"j({% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.role }}{% else %}none{% endfor %}{% for m in [] %}x{% else %}empty{% endfor %})j",
     "1user2userempty"},
    {R"j({% set ns = namespace(a=1) %}{% for i in range(4) %}{% set ns.a = ns.a + i %}{% set z = i %}{% endfor %}{{ ns.a }}{{ z }}{{ ns.zz is defined }})j",
     "7False"},
    {R"j({% set x %}  hi {{ 1 }} {% endset %}[{{ x }}]{% set y | trim | upper %} abc {% endset %}[{{ y }}])j",
     "[  hi 1 ][ABC]"},
    {R"j({{ none }}{{ true }}{{ 1.0 }}{{ 1e20 }}{{ 1.5e-7 }}{{ 0.1+0.2 }}|{{ 7//2 }}{{ -7//2 }}{{ -7%3 }}{{ 7%-3 }}{{ 1/2 }}{{ -7.5//2 }}|{{ 1e16 }}{{ 0.0001 }})j",
     "NoneTrue1.01e+201.5e-070.30000000000000004|3-42-20.5-4.0|1e+160.0001"},
    {R"j({{ [1,'a',none,true,1.5,[2],{'k':'v'}] }}{{ ["it's", 'q"', 'é\n'] }})j",
     "[1, 'a', None, True, 1.5, [2], {'k': 'v'}][\"it's\", 'q\"', 'é\\n']"},
    {R"j({{ messages[1] | tojson }}{{ {'b':[1,{}],'a':none}|tojson(indent=2) }}{{ 'é"\\\x01'|tojson }})j",
     "{\"role\": \"user\", \"content\": \"Hé \\\"q\\\" <b>\\n\\t1+1?\"}{\n  \"b\": [\n    1,\n    "
     "{}\n  ],\n  \"a\": null\n}\"é\\\"\\\\\\u0001\""},
    {R"j({{ nope }}{{ nope is defined }}{{ nope|length }}{{ nope|default('d') }}{{ ''|default('d', true) }}{{ nope == 'x' }}{{ nope ~ 'x' }}{{ 'x' in nope }})j",
     "False0ddFalsexFalse"},
    {R"j({{ 1 < 2 < 3 }}{{ 'a' in 'abc' }}{{ 1 not in [1,2] }}{{ 'role' in messages[0] }}{{ not 'a' in 'abc' }})j",
     "TrueTrueFalseTrueFalse"},
    {R"j({{ '  a b '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'a,b,c'.split(',') }}|{{ 'a b  c '.split() }}|{{ 'a,b,c'.split(',', 1) }}|{{ 'a</think>b'.split('</think>')[-1] }})j",
     "a b|a|['a', 'b', 'c']|['a', 'b', 'c']|['a', 'b,c']|b"},
    {R"j({{ 'abc'.startswith('a') }}{{ 'abc'.endswith(('b','c')) }}{{ 'aXbX'.replace('X','',1) }}{{ 'ab'.replace('','-') }}{{ 'ß'.upper() }}{{ "it's 3rd".title() }}{{ 'hELLO'.capitalize() }})j",
     "TrueTrueabX-a-b-SSIt'S 3RdHello"},
    {R"j({% for k, v in {'a':1,'b':2}.items() %}{{k}}={{v}};{% endfor %}{{ {'a':1}.get('z', 5) }}{{ {'a':1}.keys()|list }})j",
     "a=1;b=2;5['a']"},
    {R"j({{ messages|map(attribute='role')|join(',') }}{{ messages|selectattr('role','equalto','user')|list|length }}{{ [1,2,3]|select('odd')|list }})j",
     "system,user,assistant,tool,user2[1, 3]"},
    {R"j({{ [3,1]|first }}{{ 'abc'|last }}{{ 12|string + 'x' }}{{ '12'|int + 1 }}{{ 'ab'|list }}{{ 'aXb'|replace('X','-') }})j",
     "3c12x13['a', 'b']a-b"},
    {R"j({% macro f(a, b='d') %}[{{ a }}{{ b }}]{% endmacro %}{{ f(1) }}{{ f(1, b=2) }}{{ f() }})j",
     "[1d][12][d]"},
    {R"j({% for i in range(10) %}{% if i == 3 %}{% continue %}{% endif %}{% if i > 5 %}{% break %}{% endif %}{{ i }}{% endfor %})j",
     "01245"},
    {"   {% if true %}   \n  in\n   {% endif %}   \ntail\n", "   \n  in\n   \ntail"},
    {"a\n   {%- if true -%}   \n  s   \n   {%- endif -%}   \ntail", "astail"},
    {"x {#- c -#} y\n{# line #}\n  {%+ if true %}\nz{% endif +%}\n!", "xy\n  z\n!"},
    {"  {% raw -%}\n   {{ a }}\n  {%- endraw %}\nafter", "{{ a }}after"},
    {R"j({{ "a" "b" }}{{ 'a\x41\u00e9\101\q' }}{{ '%}' }}{{ {'a': {'b': 1}}.a.b }})j",
     "abaAéA\\q%}1"},
    {R"j({{ 'a' is string and 1 is number and {} is mapping and [] is sequence and none is none and 4 is divisibleby 2 }})j",
     "True"},
    {R"j({{ 'a' ~ 1 ~ none }}{{ [1] + [2] }}{{ 'ab' * 2 }}{{ -3|abs }}{{ 'x' if false }}{{ 'a' if false else 'b' }})j",
     "a1None[1, 2]abab3b"},
    {R"j({% set x = 1 %}{% for i in [1,2] %}{{ x }}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }})j",
     "12121"},
    {R"j({{ bos_token ~ eos_token }}{{ date_string }}{{ tools is none }}{{ add_generation_prompt }}{{ extra_word }})j",
     "<s></s>1 Jan 2025TrueTruew"},
    {R"j({{ 'a\nb\n\nc'|indent(2) }}{{ ' x'|trim ~ 'b'|upper }}{{ 'é中'|length }})j",
     "a\n  b\n\n  cxB2"},
};

TEST(ChatTemplate, LanguageAgreesWithJinja) {
  for (const auto& [jinja, expected] : kCases) EXPECT_EQ(render(jinja), expected) << jinja;
}

TEST(ChatTemplate, ErrorsNameTheLineAndTheConstruct) {
  const Case cases[] = {
      {"\n{{ raise_exception('bad roles') }}", "test.jinja:2: chat template: bad roles"},
      {"{{ nope.x }}", "'nope' is undefined"},
      {"{{ nope + 'x' }}", "'nope' is undefined"},
      {"\n\n{{ 'x' | wordwrap }}",
       "test.jinja:3: chat template: filter 'wordwrap' is not supported"},
      {"{{ 'x' | wordwrap }}", "chat_template: qwen2.5"},
      {"{{ 'x' is escaped }}", "test 'escaped' is not supported"},
      {"{% include 'x' %}", "{% include %}"},
      {"{{ 2 ** 3 }}", "**"},
      {"{{ f(*x) }}", "*arguments"},
      {"{{ 'a' + 1 }}", "str and int"},
      {"{{ 1 < 'a' }}", "int and str"},
      {"{{ 1 / 0 }}", "division by zero"},
      {"{{ 9223372036854775807 + 1 }}", "out of range"},
      {"{{ (1 }}", "unexpected '}'"},
      {"{{ a b }}", "unexpected 'b'"},
      {"{% if x %}", "not closed by {% endif %}"},
      {"{{ 'abc", "a string is not closed"},
      {"{# abc", "comment"},
      {"{% break %}", "outside a loop"},
      {"{% set x.y = 1 %}", "not a namespace"},
      {"{% for a, b in [[1]] %}{% endfor %}", "1 values to 2 names"},
  };
  for (const auto& [jinja, mentioned] : cases) {
    const std::string message = error_of(jinja);
    EXPECT_NE(message.find(mentioned), std::string::npos) << jinja << " gives: " << message;
  }
}

std::string repeat(const std::string& text, int times) {
  std::string result;
  while (times-- > 0) result += text;
  return result;
}

TEST(ChatTemplate, HostileTemplatesEndInAnError) {
  const std::string templates[] = {
      "{% for i in range(1000000000) %}{% endfor %}",
      "{% for a in range(5000) %}{% for b in range(5000) %}{{ messages }}{% endfor %}{% endfor %}",
      "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% "
      "endfor %}",
      "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}",
      "{% set ns = namespace() %}{% set ns.a = ns %}",
      "{{ 'a' * 9223372036854775807 }}",
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{{ " + repeat("(", 1500) + "1" + repeat(")", 1500) + " }}",
      "{{ " + repeat("not ", 3000) + "1 }}",
      "{{ " + repeat("-", 3000) + "1 }}",
      "{{ 1" + repeat("+1", 5000) + " }}",
      repeat("{% if 1 %}", 5000) + repeat("{% endif %}", 5000),
  };
  for (const std::string& jinja : templates) {
    EXPECT_NE(error_of(jinja).find("test.jinja:1"), std::string::npos) << jinja.substr(0, 80);
  }
}

TEST(ChatTemplate, BrokenUtf8InMessages) {
  const auto chat = parse_chat_template("{{ messages[0].content | length }}", "test.jinja");
  EXPECT_EQ(chat->render({{"user", "a\xff\xe4\xb8"}}, true, {}), "3");
}

TEST(ChatTemplate, Llama3Families) {
  const std::vector<Message> talk{{"user", " Hi "}, {"assistant", "Yo"}, {"tool", "{\"a\": 1}"}};
  const std::string turns =
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nYo<|eot_id|>";
  const std::string answer = "<|start_header_id|>assistant<|end_header_id|>\n\n";
  const std::string system =
      "<B><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n";
  EXPECT_EQ(load_chat_template("", "llama3")->render({talk[0], talk[1]}, true, {"<B>", ""}),
            "<B>" + turns + answer);
  const auto dated = load_chat_template("", "llama-3.1");
  EXPECT_EQ(dated->render(talk, true, {"<B>", ""}),
            system + "Today Date: 26 Jul 2024\n\n<|eot_id|>" + turns +
                "<|start_header_id|>ipython<|end_header_id|>\n\n\"{\\\"a\\\": 1}\"<|eot_id|>" +
                answer);
  EXPECT_EQ(dated->render({{"system", " S "}, talk[0], talk[1]}, false, {"<B>", "", "1 May 2025"}),
            system + "Today Date: 1 May 2025\n\nS<|eot_id|>" + turns);
}

TEST(ChatTemplate, R1DistillFamilies) {
  const std::vector<Message> talk{
      {"system", "S"}, {"user", "Hi"}, {"assistant", "<think>t</think>A"}, {"user", "B"}};
  const std::string text =
      "<b>S<\uff5cUser\uff5c>Hi<\uff5cAssistant\uff5c>A<\uff5cend\u2581of\u2581sentence\uff5c><"
      "\uff5cUser\uff5c>B";
  const ChatVariables variables{"<b>", ""};
  EXPECT_EQ(load_chat_template("", "r1-distill")->render(talk, false, variables), text);
  EXPECT_EQ(load_chat_template("", "r1-distill")->render(talk, true, variables),
            text + "<\uff5cAssistant\uff5c>");
  EXPECT_EQ(load_chat_template("", "r1-distill-think")->render(talk, true, variables),
            text + "<\uff5cAssistant\uff5c><think>\n");
}

TEST(ChatTemplate, ChatmlPutsOneLineEndBehindATurn) {
  EXPECT_EQ(load_chat_template("", "chatml")->render({{"user", "Hi"}}, true, {}),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

class ChatTemplateFolder : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(dir + "/" + name) << text;
  }
  std::string load(const std::string& override_name = "") {
    return load_chat_template(dir, override_name)->render({}, true, {});
  }
  std::string dir = testing::temporary_dir("chat");
};

TEST_F(ChatTemplateFolder, NoneIsNull) {
  EXPECT_EQ(load_chat_template(dir), nullptr);
  write("tokenizer_config.json", "{}");
  EXPECT_EQ(load_chat_template(dir), nullptr);
}

TEST_F(ChatTemplateFolder, OrderOfSources) {
  write("tokenizer_config.json", R"({"chat_template": "from config"})");
  EXPECT_EQ(load(), "from config");
  write("chat_template.jinja", "from file");
  EXPECT_EQ(load(), "from file");
  write("other.jinja", "from override");
  EXPECT_EQ(load(dir + "/other.jinja"), "from override");
  EXPECT_EQ(load_chat_template(dir, "chatml")->name(), "chatml");
}

TEST_F(ChatTemplateFolder, ListOfNamedTemplates) {
  write(
      "tokenizer_config.json",
      R"({"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]})");
  EXPECT_EQ(load(), "D");
  write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "T"}]})");
  EXPECT_THROW(load(), Error);
}

TEST_F(ChatTemplateFolder, UnknownNameListsTheFamilies) {
  try {
    load("qwen9");
    FAIL() << "accepted";
  } catch (const Error& error) {
    for (const char* word : {"qwen9", "qwen2.5-math", "llama-3.1"}) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace covrl
