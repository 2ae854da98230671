"""Ids and assistant masks that transformers gives for chats with tools, on small templates in the manner of Qwen 2.5, Llama 3 and SmolLM 2.

Each template comes with {% generation %} blocks, which the masks are from, and without. The tokenizer is that of a golden model with more added tokens.
Run: python test/tokenizer/chat_masks_reference.py test/golden/models/qwen2-tiny/tokenizer.json > test/tokenizer/chat_masks.json
"""
import json
import re
import sys

import tokenizers
import transformers
from transformers import PreTrainedTokenizerFast

QWEN = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == "assistant" %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
        {%- if message.content %}
            {{- message.content }}
        {%- endif %}
        {%- for call in message.tool_calls or [] %}
            {%- if not loop.first or message.content %}
                {{- '\\n' }}
            {%- endif %}
            {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.index0 == 0 or messages[loop.index0 - 1].role != "tool" %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != "tool" %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- elif message.role != "system" or not loop.first %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

LLAMA = """{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
        {%- generation %}
        {%- if message.tool_calls %}
            {%- set call = message.tool_calls[0].function %}
            {{- '{"name": "' + call.name + '", ' }}
            {{- '"parameters": ' }}
            {{- call.arguments | tojson }}
            {{- '}' }}
        {%- else %}
            {{- message.content | trim }}
        {%- endif %}
        {{- '<|eot_id|>' }}
        {%- endgeneration %}
    {%- elif message.role == 'tool' %}
        {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' + message.content | tojson + '<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

SMOL = """{% for message in messages %}
{% if loop.first and message['role'] != 'system' %}
{{ '<|im_start|>system\\nYou are small.<|im_end|>\\n' }}{% endif %}
{% if message['role'] == 'assistant' %}
{{ '<|im_start|>assistant\\n' }}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}

{% else %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' }}

{% endif %}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\\n' }}{% endif %}
"""


def call(name, arguments):
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


TOOLS = [{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}}}]
PLAIN = [
    [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "It is 4."}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello there"},
        {"role": "assistant", "content": "Hi!\nWhat is it?"},
        {"role": "user", "content": "naïve 🙂 text"},
        {"role": "assistant", "content": "def f(x):\n    return x\n"},
    ],
    [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "not answered"}],
]
CALLING = [
    [
        {"role": "user", "content": "Add 1 and 2, é"},
        {"role": "assistant", "content": "", "tool_calls": [call("add", {"a": 1, "b": [2, {"c": "x\"é"}]})]},
        {"role": "tool", "content": "{\"sum\": 3}"},
        {"role": "assistant", "content": "3"},
    ],
]
TWO_CALLS = [
    [
        {"role": "system", "content": "Use tools."},
        {"role": "user", "content": "Both"},
        {"role": "assistant", "content": "<think>both</think>Calling.", "tool_calls": [call("add", {"a": 1}), call("add", {})]},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "0"},
        {"role": "assistant", "content": "1 and 0"},
    ],
]


def tokenizer_file(path):
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    names = [("<|begin_of_text|>", True), ("<|start_header_id|>", True), ("<|end_header_id|>", True), ("<|eot_id|>", True)]
    names += [(name, False) for name in ("<tool_call>", "</tool_call>", "<think>", "</think>")]
    first = max(list(found["model"]["vocab"].values()) + [token["id"] for token in found["added_tokens"]]) + 1
    for at, (name, special) in enumerate(names):
        found["added_tokens"].append({"id": first + at, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special})
    found["post_processor"] = None
    return found


def reference(file, template, end, chats):
    core = tokenizers.Tokenizer.from_str(json.dumps(file))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<|begin_of_text|>", eos_token=end, chat_template=template)
    for messages, tools in chats:
        given = tokenizer.apply_chat_template(messages, tools=tools, return_dict=True, return_assistant_tokens_mask=True)
        yield {"messages": messages, **({"tools": tools} if tools else {}), "ids": given["input_ids"], "mask": given["assistant_masks"]}


def main(path):
    file = tokenizer_file(path)
    without = [(messages, None) for messages in PLAIN]
    kinds = {
        "qwen": (QWEN, "<|im_end|>", without + [(messages, TOOLS) for messages in CALLING + TWO_CALLS + PLAIN[:2]]),
        "llama": (LLAMA, "<|eot_id|>", without + [(messages, None) for messages in CALLING]),
        "smol": (SMOL, "<|im_end|>", without),
    }
    cases = []
    for name, (template, end, chats) in kinds.items():
        plain = re.sub(r"\{%-? (end)?generation -?%\}", lambda tag: tag.group().replace("endgeneration", "endif").replace("generation", "if true"), template)
        lines = ",\n".join(json.dumps(chat, ensure_ascii=False) for chat in reference(file, template, end, chats))
        cases.append(f'{{"name": "{name}", "endOfTurn": "{end}", "template": {json.dumps(template)}, "unmarked": {json.dumps(plain)}, "chats": [\n{lines}\n]}}')
    meta = json.dumps({"transformers": transformers.__version__, "tokenizers": tokenizers.__version__})
    print(f'{{"meta": {meta},\n"tokenizer": {json.dumps(file, ensure_ascii=False)},\n"cases": [\n' + ",\n".join(cases) + "\n]}")


main(sys.argv[1])
