"""One training step of the peer: PyTorch and transformers on the CPU, float32, on the shapes S and M.

    python peer_torch.py S|M STEPS LEARNING_RATE

A step is a clipped policy-gradient loss on random tokens: forward, backward, gradient clipping to 1, fused AdamW.
Prints one JSON line: {"torch", "threads", "tokensPerSecond", "seconds": [..]} without the first, warming step.
"""
import json
import math
import sys
import time

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

SHAPES = {
    "S": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 768, "vocab_size": 512},
    "M": {"hidden_size": 512, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 4, "intermediate_size": 1536, "vocab_size": 4096},
}
ROWS_AND_LENGTH = {"S": (16, 256), "M": (8, 512)}


def make_step(shape, learning_rate):
    torch.manual_seed(0)
    config = Qwen2Config(**SHAPES[shape], max_position_embeddings=1024, tie_word_embeddings=True, attn_implementation="sdpa")
    model = Qwen2ForCausalLM(config).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.95), fused=True)
    size, vocabulary = ROWS_AND_LENGTH[shape], config.vocab_size
    tokens = torch.randint(0, vocabulary, size)
    targets = torch.roll(tokens, -1, 1)
    advantages = torch.rand(size) * 2 - 1
    behavior = torch.full(size, -math.log(vocabulary))

    def step():
        logprobs = torch.log_softmax(model(tokens).logits, -1)
        entropy = -(logprobs.exp() * logprobs).sum(-1).mean()
        chosen = logprobs.gather(-1, targets[..., None])[..., 0]
        ratio = (chosen - behavior).exp()
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.28) * advantages)
        loss = -surrogate.mean() - 0.0 * entropy
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step, tokens.numel()


def main():
    shape, steps, learning_rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    step, tokens = make_step(shape, learning_rate)
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    measured = sorted(seconds[1:])
    median = measured[len(measured) // 2]
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "tokensPerSecond": tokens / median, "seconds": measured}))


main()
