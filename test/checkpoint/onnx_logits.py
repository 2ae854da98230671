"""Runs model.onnx of a directory with onnxruntime and prints logits of whole rows, then of the same rows token by token, as JSON.

Run: python onnx_logits.py DIRECTORY < request.json     request: {"ids": [[…], …]} (rows of one length)
"""
import json
import sys

import numpy
import onnxruntime

session = onnxruntime.InferenceSession(f"{sys.argv[1]}/model.onnx", providers=["CPUExecutionProvider"])
ids = numpy.array(json.load(sys.stdin)["ids"], dtype=numpy.int64)
pasts = {entry.name: entry.shape for entry in session.get_inputs() if entry.name.startswith("past")}


def run(tokens, cache):
    done = next(iter(cache.values())).shape[2]
    rows, count = tokens.shape
    positions = numpy.tile(numpy.arange(done, done + count, dtype=numpy.int64), (rows, 1))
    mask = numpy.ones((rows, done + count), dtype=numpy.int64)
    outputs = session.run(None, {"input_ids": tokens, "position_ids": positions, "attention_mask": mask, **cache})
    named = dict(zip([entry.name for entry in session.get_outputs()], outputs))
    return named["logits"], {name: named[name.replace("past_key_values", "present")] for name in cache}


empty = {name: numpy.zeros((len(ids), shape[1], 0, shape[3]), dtype=numpy.float32) for name, shape in pasts.items()}
whole, _ = run(ids, empty)
steps, cache = [], empty
for i in range(ids.shape[1]):
    logits, cache = run(ids[:, i : i + 1], cache)
    steps.append(logits)
print(json.dumps({"whole": whole.tolist(), "steps": numpy.concatenate(steps, 1).tolist()}))
