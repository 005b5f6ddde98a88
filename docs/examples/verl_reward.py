"""Runs a verl reward file outside covrl:
  verifier.name=external_process
  verifier.external_process.command=[python3, docs/examples/verl_reward.py, FILE, compute_score]"""
import importlib.util
import json
import os
import sys

answers = os.fdopen(os.dup(1), "w")  # what the reward file prints goes to stderr instead
os.dup2(2, 1)
spec = importlib.util.spec_from_file_location("reward", sys.argv[1])
reward = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reward)
compute_score = getattr(reward, sys.argv[2])
print(json.dumps({"ready": True}), file=answers, flush=True)
for line in sys.stdin:
    try:
        answer = json.dumps(compute_score(**json.loads(line)), default=float)
    except Exception as error:  # a failed verdict, never a zero
        answer = json.dumps({"error": repr(error)})
    print(answer, file=answers, flush=True)
