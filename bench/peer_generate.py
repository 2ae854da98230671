"""Sampled generation by the peer: transformers' generate on the CPU, float32, on the shapes S and M.

    python peer_generate.py S|M ROWS PROMPT SAMPLED SHARED

PROMPT prompt tokens, the same for every row where SHARED is 1, and SAMPLED sampled ones a row. After a short warming call, answers every line on standard input with a measurement, one JSON line:
{"torch", "transformers", "threads", "tokensPerSecond"}.
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


def main():
    shape = sys.argv[1]
    rows, prompt_tokens, sampled, shared = map(int, sys.argv[2:])
    torch.manual_seed(0)
    config = Qwen2Config(**SHAPES[shape], max_position_embeddings=1024, tie_word_embeddings=True, attn_implementation="sdpa")
    model = Qwen2ForCausalLM(config).float().eval()
    prompt = torch.randint(1, config.vocab_size, (1 if shared else rows, prompt_tokens)).expand(rows, prompt_tokens).contiguous()
    with torch.inference_mode():
        model.generate(prompt, max_new_tokens=8, do_sample=True, pad_token_id=0)
        versions = {"torch": torch.__version__, "transformers": transformers.__version__, "threads": torch.get_num_threads()}
        for _ in sys.stdin:
            start = time.perf_counter()
            model.generate(prompt, max_new_tokens=sampled, min_new_tokens=sampled, do_sample=True, top_k=0, pad_token_id=0)
            seconds = time.perf_counter() - start
            print(json.dumps({**versions, "tokensPerSecond": rows * sampled / seconds}), flush=True)


main()
