#!/usr/bin/env python3
"""token_logprob against PyTorch on this machine: both alternately in one run, as ratios.

    python3 tests/bench/compare_torch.py [--bench build/release/tests/bench/bench_token_logprob]
        [--tokens 512] [--threads 2] [--rounds 3] [--only REGEX]

The Python that runs it needs PyTorch (and g++ for torch.compile); covrl itself needs no Python.
Each figure is the best of the rounds, of one forward and backward pass; extra memory is the most
resident beyond what was so before the pass, the gradients included.
"""
import argparse, json, os, re, subprocess, sys, time
import torch
import torch.nn.functional as F

VOCABULARY, HIDDEN, ROWS = 151936, 896, 256
TYPES = {"kFloat": torch.float32, "kBFloat16": torch.bfloat16}


def entropy_of(logprobs):
    return -(logprobs.exp() * logprobs).sum(-1)


def eager(logits, ids):
    logprobs = F.log_softmax(logits.float(), -1)
    return logprobs.gather(-1, ids[:, None]).squeeze(-1), entropy_of(logprobs)


def compiled(logits, ids):
    return torch.compile(eager)(logits, ids)


def verl(logits, ids):
    """Log-prob row by row in the type of the logits, entropy as logsumexp - sum p z."""
    rows = [F.log_softmax(row, -1).gather(-1, i[None]).squeeze(-1) for row, i in zip(logits, ids)]
    z = logits.float()
    return torch.stack(rows).float(), torch.logsumexp(z, -1) - (F.softmax(z, -1) * z).sum(-1)


def statistics(z, ids):
    log_sum = torch.logsumexp(z, -1)
    p = (z - log_sum[:, None]).exp_()
    logprob = z.gather(-1, ids[:, None]).squeeze(-1) - log_sum
    return log_sum, log_sum - torch.linalg.vecdot(p, z), logprob, p


def logits_gradient(z, p, log_sum, entropy, ids, grad_logprob, grad_entropy):
    z.sub_((log_sum - entropy)[:, None]).mul_(grad_entropy[:, None])
    z.add_(grad_logprob[:, None]).mul_(p).neg_()
    return z.scatter_add_(-1, ids[:, None], grad_logprob[:, None])


class Recompute(torch.autograd.Function):
    """Four products: rows of logits are computed again in the backward pass."""

    @staticmethod
    def forward(ctx, hidden, head, ids):
        parts = []
        for rows in range(0, len(ids), ROWS):
            s = slice(rows, rows + ROWS)
            parts.append(statistics(F.linear(hidden[s], head).float(), ids[s])[:3])
        log_sum, entropy, logprob = (torch.cat(x) for x in zip(*parts))
        ctx.save_for_backward(hidden, head, ids, log_sum, entropy)
        return logprob, entropy

    @staticmethod
    def backward(ctx, grad_logprob, grad_entropy):
        hidden, head, ids, log_sum, entropy = ctx.saved_tensors
        grad_hidden, grad_head = torch.empty_like(hidden), torch.zeros_like(head)
        for rows in range(0, len(ids), ROWS):
            s = slice(rows, rows + ROWS)
            z = F.linear(hidden[s], head).float()
            p = (z - log_sum[s, None]).exp_()
            g = logits_gradient(z, p, log_sum[s], entropy[s], ids[s], grad_logprob[s],
                                grad_entropy[s]).to(head.dtype)
            torch.mm(g, head, out=grad_hidden[s])
            grad_head.addmm_(g.t(), hidden[s])
        return grad_hidden, grad_head, None


class InForward(torch.autograd.Function):
    """Three products: the gradient is made with the loss, linear in log-prob and entropy."""

    @staticmethod
    def forward(ctx, hidden, head, ids, weight_logprob, weight_entropy):
        grad_hidden, grad_head, loss = torch.empty_like(hidden), torch.zeros_like(head), 0
        for rows in range(0, len(ids), ROWS):
            s = slice(rows, rows + ROWS)
            z = F.linear(hidden[s], head).float()
            log_sum, entropy, logprob, p = statistics(z, ids[s])
            loss += (logprob * weight_logprob[s]).sum() + (entropy * weight_entropy[s]).sum()
            g = logits_gradient(z, p, log_sum, entropy, ids[s], weight_logprob[s],
                                weight_entropy[s]).to(head.dtype)
            torch.mm(g, head, out=grad_hidden[s])
            grad_head.addmm_(g.t(), hidden[s])
        ctx.save_for_backward(grad_hidden, grad_head)
        return loss

    @staticmethod
    def backward(ctx, grad):
        grad_hidden, grad_head = ctx.saved_tensors
        return grad_hidden.mul_(grad), grad_head.mul_(grad), None, None, None


def resident(field):
    with open("/proc/self/status") as status:
        return int(re.search(field + r":\s+(\d+)", status.read()).group(1)) / 1024


def timed(step, variables):
    """Seconds and MiB of one step."""
    for variable in variables:
        variable.grad = None
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    start, clock = resident("VmRSS"), time.perf_counter()
    step()
    return time.perf_counter() - clock, resident("VmHWM") - start


def torch_ways(source, tokens, dtype):
    """Name -> (step, the variables that it gives gradients to)."""
    torch.manual_seed(0)
    ids = torch.randint(VOCABULARY, (tokens,))
    weights = torch.randn(tokens), torch.randn(tokens) * 0.01

    def loss(scored):
        return (scored[0] * weights[0]).sum() + (scored[1] * weights[1]).sum()

    if source == "logits":
        logits = torch.randn(tokens, VOCABULARY).to(dtype).requires_grad_()
        ways = {"eager": eager, "verl": verl, "torch.compile": compiled}
        return {name: (lambda f=f: loss(f(logits, ids)).backward(), [logits])
                for name, f in ways.items()}
    hidden = torch.randn(tokens, HIDDEN).to(dtype).requires_grad_()
    head = (torch.randn(VOCABULARY, HIDDEN) * 0.02).to(dtype).requires_grad_()
    steps = {
        "unfused": lambda: loss(eager(F.linear(hidden, head), ids)).backward(),
        "recompute": lambda: loss(Recompute.apply(hidden, head, ids)).backward(),
        "gradient in forward": lambda: InForward.apply(hidden, head, ids, *weights).backward(),
    }
    return {name: (step, [hidden, head]) for name, step in steps.items()}


def ours(options, source, type_name):
    """Seconds and MiB of our benchmark, a process of its own."""
    pattern = f"^{source}/ours/{type_name}/T:{options.tokens}(/|$)"
    command = [options.bench, f"--benchmark_filter={pattern}", "--benchmark_format=json"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    out = subprocess.run(command, env=environment, check=True, capture_output=True,
                         text=True).stdout
    row = json.loads(out)["benchmarks"][0]
    return row["real_time"] / 1e3, row["extra_MiB"]


def compare(options, source, type_name):
    ways = torch_ways(source, options.tokens, TYPES[type_name])
    results = {name: [] for name in ["ours", *ways]}
    for _ in range(options.rounds):
        results["ours"].append(ours(options, source, type_name))
        for name, (step, variables) in list(ways.items()):
            try:
                if not results[name]:
                    timed(step, variables)  # compiles, and touches memory for the first time
                results[name].append(timed(step, variables))
            except Exception as error:  # torch.compile needs a compiler that it can use
                print(f"{source} {type_name} {name}: {type(error).__name__}, left out",
                      file=sys.stderr)
                del ways[name], results[name]
    best = {name: (min(r[0] for r in runs), max(r[1] for r in runs))
            for name, runs in results.items()}
    for name, (seconds, mib) in best.items():
        print(f"{source:7} {type_name:10} {name:20} {seconds:8.3f} s  {mib:8.0f} MiB  "
              f"{seconds / best['ours'][0]:6.2f} times ours", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/tests/bench/bench_token_logprob")
    parser.add_argument("--tokens", type=int, default=512, choices=(512, 4096))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="",
                        help="regular expression over 'logits kFloat', 'hidden kBFloat16', ...")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for source in ("logits", "hidden"):
        for type_name in TYPES:
            if re.search(options.only, f"{source} {type_name}"):
                compare(options, source, type_name)


if __name__ == "__main__":
    main()
