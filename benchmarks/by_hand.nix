# The host of `profiles/xeon-cpu.toml` as one would write it without Hostwright, upstream options
# only. `nix_eval.py` refuses to compare when it is not the same unit any more.
{ pkgs, ... }:
{
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cpu or pkgs.ollama;
    environmentVariables = {
      LLAMA_ARG_CACHE_RAM = "256";
      LLAMA_ARG_THREADS = "20";
      MKL_NUM_THREADS = "20";
      OLLAMA_CONTEXT_LENGTH = "8192";
      OLLAMA_FLASH_ATTENTION = "1";
      OLLAMA_KV_CACHE_TYPE = "q8_0";
      OLLAMA_LLM_LIBRARY = "cpu_avx2";
      OLLAMA_MAX_LOADED_MODELS = "3";
      OLLAMA_NUM_PARALLEL = "4";
      OMP_NUM_THREADS = "20";
      OPENBLAS_NUM_THREADS = "20";
    };
    loadModels = [
      "qwen2.5-coder:7b"
      "deepseek-r1:7b"
      "llama3.1:8b"
    ];
  };

  systemd.services.ollama.serviceConfig = {
    CPUQuota = "2000%";
    CPUWeight = 100;
    MemoryMax = "20G";
    MemorySwapMax = "0";
    Restart = "always";
    RestartSec = 3;
  };
}
