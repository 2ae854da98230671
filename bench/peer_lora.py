"""Policy updates of the peer: PyTorch, transformers and PEFT on the CPU, float32; an adapter or the whole model, with or without a shared prompt.

    python peer_lora.py '{"model": {..}, "rows": 8, "promptTokens": 0, "trainedTokens": 256, "lora": {..} | null, "steps": 2, "learningRate": 1e-6}'

A step is a clipped policy-gradient loss on random tokens: forward over whole rows, logits of trained tokens only, backward, clipping to 1,
fused AdamW. Prints one JSON line: {"seconds": [..] without the first step, "peakBytes"}.
"""
import json
import math
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import Qwen2Config, Qwen2ForCausalLM


def make_model(case):
    config = Qwen2Config(**case["model"], max_position_embeddings=32768, tie_word_embeddings=True, use_cache=False, attn_implementation="sdpa")
    model = Qwen2ForCausalLM(config).float()
    if case["lora"]:
        model = get_peft_model(model, LoraConfig(**case["lora"], lora_dropout=0.0, task_type="CAUSAL_LM"))
    return model


def make_step(case):
    torch.manual_seed(0)
    model = make_model(case)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=case["learningRate"], betas=(0.9, 0.95), fused=True)
    rows, kept, vocabulary = case["rows"], case["trainedTokens"], case["model"]["vocab_size"]
    length = max(1, case["promptTokens"]) + kept
    tokens = torch.randint(0, vocabulary, (rows, length))
    tokens[:, : case["promptTokens"]] = tokens[:1, : case["promptTokens"]]
    targets = tokens[:, -kept:]
    advantages = torch.rand(rows, kept) * 2 - 1
    behavior = torch.full((rows, kept), -math.log(vocabulary))

    def step():
        logits = model(tokens[:, :-1], logits_to_keep=kept).logits
        chosen = torch.log_softmax(logits, -1).gather(-1, targets[..., None])[..., 0]
        ratio = (chosen - behavior).exp()
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.28) * advantages)
        (-surrogate.mean()).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def main():
    case = json.loads(sys.argv[1])
    step = make_step(case)
    seconds = []
    for _ in range(case["steps"] + 1):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds[1:], "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main()
