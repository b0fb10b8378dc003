#!/bin/sh
ollama pull .hidden/qwen3
ollama pull hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M
