#!/bin/bash
#SBATCH --gres=gpu:1 --time=04:00:00
module load apptainer
export APPTAINERENV_OLLAMA_KEEP_ALIVE=1d
apptainer instance run --nv -B "$SCRATCH/models:/models" \
  --env OLLAMA_MODELS=/models,OLLAMA_NUM_THREADS=16 docker://ollama/ollama:0.32.15 llm
apptainer exec instance://llm ollama run qwen3:8b "hello"
