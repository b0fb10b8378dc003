#!/bin/bash
ollama serve &
until ollama list; do sleep 1; done
ollama pull "$OLLAMA_MODEL"
wait
