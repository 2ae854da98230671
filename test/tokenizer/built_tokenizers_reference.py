"""Ids that transformers' AutoTokenizer gives for the tokenizers that turnwise builds.

Run: node test/tokenizer/writeBuiltTokenizers.ts OUT && python test/tokenizer/built_tokenizers_reference.py OUT > test/tokenizer/built_tokenizers.json
"""
import json, sys
import tokenizers, transformers
from transformers import AutoTokenizer

TEXTS = {
    "tags": ["What is the age of the boss of kj?", "<code>boss('kj')</code>", "<answer>91</answer>", "Total stock of ab and cd?", "KeyError", "xy has 42 pens, gets 7 then loses 3. How many?",
             "new('ab')+old('cd')", "SyntaxErrorError", "<|user|>a<|end|><|bot|>", "Ünknown TEXT and {braces}", "12.5 * -3", " the theory", "none", "''))"],
    "bytes": ["", "plain", "naïve 東京 🙂", "\r\n\t\u0000", "<|user|>hi<|end|><|bot|>", "<|us er|>", "  two  spaces  ", "\\boxed{4}", "```python\nprint(1)\n```"],
}
CHATS = [[{"role": "user", "content": "What is the age of kj?"}],
         [{"role": "user", "content": "What is the age of the boss of kj?"}, {"role": "assistant", "content": "<code>boss('kj')</code>"}, {"role": "tool", "content": "'iu'"}, {"role": "assistant", "content": "<answer>7</answer>"}]]

def main(folder):
    expected = {"meta": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}}
    for name, texts in TEXTS.items():
        tok = AutoTokenizer.from_pretrained(f"{folder}/{name}")
        encode = lambda text: tok.encode(text, add_special_tokens=False)
        expected[name] = {
            "vocabSize": len(tok), "eos": tok.eos_token_id, "pad": tok.pad_token_id,
            "encodings": [{"text": t, "ids": encode(t), "decoded": tok.decode(encode(t))} for t in texts],
            "chats": [{"messages": c, "withPrompt": tok.apply_chat_template(c, tokenize=False, add_generation_prompt=True), "ids": tok.apply_chat_template(c, add_generation_prompt=True, return_dict=True)["input_ids"]} for c in CHATS],
        }
    json.dump(expected, sys.stdout, indent=1); print()

main(sys.argv[1])
