#!/bin/bash
# Start the server by hand.
set -euo pipefail
export OLLAMA_KEEP_ALIVE=30m
export OLLAMA_NUM_THREAD=8
exec ollama serve
