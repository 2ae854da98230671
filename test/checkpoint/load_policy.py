"""Loads a policy directory with transformers and prints, as JSON, what turnwise compares itself with.

Run: python load_policy.py DIRECTORY < request.json     request: {"ids": [[…], …], "conversation": [{"role", "content"}, …]}
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

request = json.load(sys.stdin)
model, report = AutoModelForCausalLM.from_pretrained(sys.argv[1], output_loading_info=True)
# Not AutoTokenizer: since version 5 it gives every qwen2 model the pre-tokenizer of Qwen2, whatever tokenizer.json says.
tokenizer = PreTrainedTokenizerFast.from_pretrained(sys.argv[1])


def logprobs(ids):
    ids = torch.tensor([ids])
    with torch.no_grad():
        logits = model(ids).logits
    return torch.log_softmax(logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[0, :, 0].tolist()


print(json.dumps({
    "missing": sorted(report["missing_keys"]),
    "unexpected": sorted(report["unexpected_keys"]),
    "dtype": str(model.dtype),
    "endOfTurn": model.generation_config.eos_token_id,
    "logprobs": [logprobs(ids) for ids in request["ids"]],
    "conversation": tokenizer.apply_chat_template(request["conversation"], return_dict=True)["input_ids"],
    "endOfTurnToken": tokenizer.eos_token_id,
}))
