"""Ids that transformers' AutoTokenizer gives for the tokenizers that turnwise builds, beside the config.json of a policy.

Run: node test/tokenizer/writeBuiltTokenizers.ts OUT && python test/tokenizer/built_tokenizers_reference.py OUT > test/tokenizer/built_tokenizers.json
"""
import json
import sys

import tokenizers
import transformers
from transformers import AutoTokenizer


def reference(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with open(f"{folder}/texts.json", encoding="utf-8") as file:
        given = json.load(file)
    encodings, chats = [], []
    for text in given["texts"]:
        ids = tokenizer.encode(text, add_special_tokens=False)
        encodings.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
    for messages in given["chats"]:
        rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
        chats.append({"messages": messages, "withPrompt": rendered, "ids": ids})
    return {"vocabSize": len(tokenizer), "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id, "encodings": encodings, "chats": chats}


def main(folder):
    lines = [f'"meta": {json.dumps({"transformers": transformers.__version__, "tokenizers": tokenizers.__version__})}']
    for name in ("tags", "bytes"):
        found = reference(f"{folder}/{name}")
        parts = [f'"{key}": {found[key]}' for key in ("vocabSize", "eos", "pad")]
        for key in ("encodings", "chats"):
            entries = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in found[key])
            parts.append(f'"{key}": [\n{entries}\n]')
        lines.append(f'"{name}": {{\n' + ",\n".join(parts) + "\n}")
    print("{\n" + ",\n".join(lines) + "\n}")


main(sys.argv[1])
