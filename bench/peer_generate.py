"""Sampled generation by the peer: transformers' generate on the CPU, float32, on the shapes S and M.

Loads both once, then answers every line on standard input, one JSON object such as
{"shape": "S", "rows": 8, "promptTokens": 16, "sampledTokens": 160, "shared": false}, with a measurement of that many sampled tokens a row, one JSON line:
{"torch", "transformers", "threads", "tokensPerSecond"}. `shared`: all rows have the same prompt.
"""
import json
import sys
import time

import torch
import transformers
from transformers import Qwen2Config, Qwen2ForCausalLM

SHAPES = {
    "S": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 768, "vocab_size": 512},
    "M": {"hidden_size": 512, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 4, "intermediate_size": 1536, "vocab_size": 4096},
}


# Generated for this long before every measurement, in batches like the measured one: the first steps after a pause find cold caches and sleeping threads.
WARMING_SECONDS = 0.5
WARMING_TOKENS = 32


def model_of(shape):
    torch.manual_seed(0)
    config = Qwen2Config(**SHAPES[shape], max_position_embeddings=1024, tie_word_embeddings=True, attn_implementation="sdpa")
    return Qwen2ForCausalLM(config).float().eval()


def tokens_per_second(model, rows, prompt_tokens, sampled, shared):
    prompt = torch.randint(1, model.config.vocab_size, (1 if shared else rows, prompt_tokens)).expand(rows, prompt_tokens).contiguous()
    begun = time.perf_counter()
    while time.perf_counter() - begun < WARMING_SECONDS:
        model.generate(prompt[:, :1], max_new_tokens=WARMING_TOKENS, min_new_tokens=WARMING_TOKENS, do_sample=True, top_k=0, pad_token_id=0)
    start = time.perf_counter()
    model.generate(prompt, max_new_tokens=sampled, min_new_tokens=sampled, do_sample=True, top_k=0, pad_token_id=0)
    return rows * sampled / (time.perf_counter() - start)


def main():
    models = {shape: model_of(shape) for shape in SHAPES}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "threads": torch.get_num_threads()}
    with torch.inference_mode():
        for line in sys.stdin:
            case = json.loads(line)
            rate = tokens_per_second(models[case["shape"]], case["rows"], case["promptTokens"], case["sampledTokens"], case["shared"])
            print(json.dumps({**versions, "tokensPerSecond": rate}), flush=True)


main()
