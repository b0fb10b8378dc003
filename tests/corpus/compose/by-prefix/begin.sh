#!/bin/sh
ollama serve &
until ollama list; do sleep 1; done
for pair in $(printenv | grep '^OLLAMA_MODEL_'); do
  ollama pull "${pair#*=}"
done
wait
