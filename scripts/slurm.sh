#!/usr/bin/env bash
# A training run under Slurm: one process for each GPU, or several CPU processes on each machine.
#
#   sbatch --nodes=2 scripts/slurm.sh --config configs/tiny/one_shot_grpo.yaml trainer.run_dir=runs/cluster
#
# The words after the script are those of `covrl train`. A run that is started again goes on from its latest checkpoint
# (trainer.resume: auto), hence --requeue: after a machine fails or time runs out, Slurm starts the same command anew.
#
#SBATCH --job-name=covrl
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%j.log
#
# Without GPUs: sbatch --gpus-per-task=0 --ntasks-per-node=2 ...
set -euo pipefail

# Slurm runs a copy of this file, so that its own place says nothing; a job starts in the folder that sbatch was called from.
root="${COVRL_ROOT:-${SLURM_SUBMIT_DIR:-$PWD}}"
covrl="${COVRL:-}"
for build in cuda release; do
  [ -n "$covrl" ] || [ ! -x "$root/build/$build/bin/covrl" ] || covrl="$root/build/$build/bin/covrl"
done
if [ -z "$covrl" ]; then
  echo "slurm.sh: no build/cuda/bin/covrl or build/release/bin/covrl under $root; submit from the checkout, or set COVRL" >&2
  exit 2
fi
if [ "$#" -eq 0 ]; then
  echo "slurm.sh: give the words of covrl train, such as --config FILE trainer.run_dir=DIR" >&2
  exit 2
fi

# A process sees the cores that Slurm gave it, and takes that many threads.
threads="trainer.num_threads=${SLURM_CPUS_PER_TASK:-1}"

if srun --mpi=list 2>&1 | grep -q pmix; then
  # --gpus-per-task lets each process see its own GPU alone, as its number 0. --kill-on-bad-exit ends the whole run when one
  # process fails, instead of leaving the others to wait for it.
  exec srun --mpi=pmix --cpu-bind=cores --kill-on-bad-exit=1 "$covrl" train "$@" "$threads"
fi

# Without PMIx in Slurm: Open MPI's own launcher takes machines and places from the job, but hands out no GPUs. Each process
# takes one of its machine's by its place there; with more processes than GPUs they share (communication is over MPI).
exec mpirun -n "${SLURM_NTASKS:-1}" --bind-to none bash -c '
  if gpus=$(nvidia-smi --list-gpus 2>/dev/null | wc -l) && [ "$gpus" -gt 0 ]; then
    export CUDA_VISIBLE_DEVICES=$((OMPI_COMM_WORLD_LOCAL_RANK % gpus))
  fi
  exec "$@"' bash "$covrl" train "$@" "$threads"
