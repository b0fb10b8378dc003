"""vLLM: one model for each process, in its image, by arguments of `vllm serve`."""
