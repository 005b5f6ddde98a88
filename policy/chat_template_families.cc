#include "policy/chat_template_families.h"

namespace covrl {
namespace {

// `turn_end`: what stands behind a turn and the start of the answer, after the line end that ChatML
// has there.
constexpr std::string_view kChatml = R"jinja({%- for turn in messages -%}
{{ '<|im_start|>' ~ turn.role ~ '\n' ~ turn.content ~ '<|im_end|>\n' ~ turn_end }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\n' ~ turn_end }}
{%- endif -%})jinja";
constexpr std::string_view kChatmlEnd = "{%- set turn_end = '' -%}";
constexpr std::string_view kChatmlPlainEnd = R"({%- set turn_end = '\n' -%})";

// Qwen2.5 puts its own system turn, `default_system`, in front of a conversation without one, and
// wraps runs of tool answers in a user turn.
constexpr std::string_view kQwen = R"jinja({%- if messages[0].role != 'system' -%}
{{ '<|im_start|>system\n' ~ default_system ~ '<|im_end|>\n' }}
{%- endif -%}
{%- for turn in messages -%}
{%- if turn.role in ['system', 'user', 'assistant'] -%}
{{ '<|im_start|>' ~ turn.role ~ '\n' ~ turn.content ~ '<|im_end|>\n' }}
{%- elif turn.role == 'tool' -%}
{%- if loop.first or loop.previtem.role != 'tool' -%}{{ '<|im_start|>user' }}{%- endif -%}
{{ '\n<tool_response>\n' ~ turn.content ~ '\n</tool_response>' }}
{%- if loop.last or loop.nextitem.role != 'tool' -%}{{ '<|im_end|>\n' }}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\n' }}
{%- endif -%})jinja";
constexpr std::string_view kQwenSystem =
    "{%- set default_system = 'You are Qwen, created by Alibaba Cloud. You are a helpful "
    "assistant.' -%}";
constexpr std::string_view kQwenMathSystem =
    R"({%- set default_system = 'Please reason step by step, and put your final answer within \\boxed{}.' -%})";

constexpr std::string_view kLlama3 = R"jinja({%- for turn in messages -%}
{%- if loop.first -%}{{ bos_token }}{%- endif -%}
{{ '<|start_header_id|>' ~ turn.role ~ '<|end_header_id|>\n\n' ~ turn.content | trim ~ '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif -%})jinja";

// The system turn is always there, with the dates in front; tool answers are JSON in a turn of
// `ipython`.
constexpr std::string_view kLlama31 = R"jinja({%- set turns = messages -%}
{%- set system = '' -%}
{%- if messages and messages[0].role == 'system' -%}
{%- set system = messages[0].content | trim -%}
{%- set turns = messages[1:] -%}
{%- endif -%}
{{ bos_token ~ '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n' }}
{{- 'Today Date: ' ~ date_string | default('26 Jul 2024') ~ '\n\n' ~ system ~ '<|eot_id|>' }}
{%- for turn in turns -%}
{%- if turn.role in ['tool', 'ipython'] -%}
{{ '<|start_header_id|>ipython<|end_header_id|>\n\n' ~ turn.content | tojson ~ '<|eot_id|>' }}
{%- else -%}
{{ '<|start_header_id|>' ~ turn.role ~ '<|end_header_id|>\n\n' ~ turn.content | trim ~ '<|eot_id|>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif -%})jinja";

// Thoughts of earlier answers, up to </think>, are left out. A new answer begins with
// `answer_start`.
constexpr std::string_view kR1 =
    R"jinja({%- set state = namespace(system='', in_tools=false, had_tools=false) -%}
{%- for turn in messages if turn.role == 'system' -%}{%- set state.system = turn.content -%}{%- endfor -%}
{{ bos_token ~ state.system }}
{%- for turn in messages -%}
{%- if turn.role == 'user' -%}
{%- set state.in_tools = false -%}
{{ '<｜User｜>' ~ turn.content }}
{%- elif turn.role == 'assistant' and state.in_tools -%}
{%- set state.in_tools = false -%}
{{ '<｜tool▁outputs▁end｜>' ~ turn.content ~ '<｜end▁of▁sentence｜>' }}
{%- elif turn.role == 'assistant' -%}
{{ '<｜Assistant｜>' ~ turn.content.split('</think>')[-1] ~ '<｜end▁of▁sentence｜>' }}
{%- elif turn.role == 'tool' -%}
{%- set state.in_tools = true -%}
{{ '\n' if state.had_tools else '<｜tool▁outputs▁begin｜>' }}
{{- '<｜tool▁output▁begin｜>' ~ turn.content ~ '<｜tool▁output▁end｜>' }}
{%- set state.had_tools = true -%}
{%- endif -%}
{%- endfor -%}
{%- if state.in_tools -%}{{ '<｜tool▁outputs▁end｜>' }}
{%- elif add_generation_prompt -%}{{ answer_start }}
{%- endif -%})jinja";
constexpr std::string_view kR1Start = "{%- set answer_start = '<｜Assistant｜>' -%}";
constexpr std::string_view kR1ThinkStart = "{%- set answer_start = '<｜Assistant｜><think>\n' -%}";

struct Family {
  std::string_view name, settings, text;
};
constexpr Family kFamilies[] = {{"qwen2.5", kQwenSystem, kQwen},
                                {"qwen2.5-instruct", kQwenSystem, kQwen},
                                {"qwen2.5-math", kQwenMathSystem, kQwen},
                                {"chatml", kChatmlEnd, kChatml},
                                {"chatml-plain", kChatmlPlainEnd, kChatml},
                                {"llama3", "", kLlama3},
                                {"llama-3", "", kLlama3},
                                {"llama-3.1", "", kLlama31},
                                {"llama-3.2", "", kLlama31},
                                {"r1-distill", kR1Start, kR1},
                                {"r1-distill-think", kR1ThinkStart, kR1}};

}  // namespace

std::string family_template(std::string_view name) {
  for (const Family& family : kFamilies) {
    if (family.name == name) return std::string(family.settings).append(family.text);
  }
  return "";
}

std::string family_names() {
  std::string names;
  for (const Family& family : kFamilies) {
    if (!names.empty()) names += ", ";
    names += family.name;
  }
  return names;
}

}  // namespace covrl
