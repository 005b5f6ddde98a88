#!/usr/bin/env bash
# Shows where the time of a training step goes, by verb and operation.
#
#   scripts/profile.sh tiny  [key=value ...]   the small model of data/tiny
#   scripts/profile.sh 0.5b  [key=value ...]   random weights in the shape of Qwen2.5-0.5B, short completions (15.5 GB of memory)
set -euo pipefail
cd "$(dirname "$0")/.."

shape=${1:-tiny}
[ "$#" -eq 0 ] || shift
run_dir=runs/profile_$shape
words=(--profile --config configs/tiny/one_shot_grpo.yaml "trainer.run_dir=$run_dir" trainer.resume=never
  eval.before_train=false eval.every=0 eval.files=[])
case "$shape" in
  tiny) words+=(trainer.total_steps=5) ;;
  0.5b)
    # The tokenizer of the small model gives text to a larger vocabulary: what is sampled means nothing, the work is the same.
    model=runs/profile_model_$shape
    mkdir -p "$model"
    cp data/tiny/model/{tokenizer.json,tokenizer_config.json,generation_config.json} "$model"
    cat > "$model/config.json" <<'JSON'
{"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896,
 "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
 "hidden_act": "silu", "max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
 "tie_word_embeddings": true, "torch_dtype": "bfloat16", "bos_token_id": 511, "eos_token_id": 511}
JSON
    words+=("model.path=$model" model.init=random trainer.total_steps=1 trainer.train_batch_size=2 data.repeat=2
      rollout.n=8 rollout.max_new_tokens=64)
    ;;
  *) echo "profile.sh: unknown shape '$shape'; use tiny or 0.5b" >&2; exit 2 ;;
esac
[ -x build/release/bin/covrl ] || { cmake --preset release >/dev/null; cmake --build --preset release --target covrl; }
build/release/bin/covrl train "${words[@]}" "$@"
