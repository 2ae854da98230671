"""Loads a model or an adapter as their own libraries do and prints log-probabilities and a greedy continuation as JSON.

Run: python peft_logprobs.py DIRECTORY < request.json     request: {"ids": [[…], …]}
"""
import json
import os
import sys

import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM

ids = torch.tensor(json.load(sys.stdin)["ids"])
is_adapter = os.path.exists(os.path.join(sys.argv[1], "adapter_config.json"))
model = (AutoPeftModelForCausalLM if is_adapter else AutoModelForCausalLM).from_pretrained(sys.argv[1], dtype=torch.float32)
with torch.no_grad():
    logits = model(ids).logits
    greedy = model.generate(input_ids=ids[:, :8], attention_mask=torch.ones_like(ids[:, :8]), max_new_tokens=12, min_new_tokens=12, do_sample=False, pad_token_id=0)
logprobs = torch.log_softmax(logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[..., 0]
print(json.dumps({"logprobs": logprobs.tolist(), "greedy": greedy[:, 8:].tolist()}))
