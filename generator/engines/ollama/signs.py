"""How Ollama is recognised: its program, its images, its chart and its NixOS module."""

from __future__ import annotations

from typing import Final

from generator.engines.signs import Signs

SIGNS: Final = Signs(
    name="ollama",
    command=("ollama", "serve"),
    prefixes=("OLLAMA_", "LLAMA_ARG_"),
    address="OLLAMA_HOST",
    mentioned=r"(?i:ollama|\bLLAMA_ARG_)",
    used=r"\b(?:OLLAMA|LLAMA_ARG)_[A-Z]|(?<![\w.-])ollama/ollama(?![\w./-])|\bservices\.ollama\b"
    r"|\bollama[\"',\s]{1,4}(?:serve|run|pull|create)\b|:/root/\.ollama\b"
    r"|\b(?:docker|podman)[ \t]+exec[ \t]+(?:-\w+[ \t]+){0,9}ollama\b",
    asks=r"\bollama[\"',\s]+(?:pull|run|create|list|ls|show|cp|rm|ps|push)\b"
    r"|/api/(?:pull|generate)\b",
    client=r"(?:^|\bollama[\"',\s]+)(?:pull|run|create|list|ls|show|cp|rm|ps|push)(?![\w.-])",
    api_call=r"/api/(pull|generate|chat)\b[^\n]*?[\"'](?:name|model)\\?[\"']\s*:\s*"
    r"\\?[\"']([^\"'\\]+)",
    builds=r"ollama(?:-(?:amd|arc|cpu|cuda|gpu|intel|ipex|jetson|l4t|nvidia|rocm|sycl|vulkan|xpu)"
    r".*)?",
    # README.md of open-webui, Installing Open WebUI with Bundled Ollama Support; its start.sh.
    brings=r"(?:^|/)open-webui:(?:[\w.-]*-)?ollama$",
    forks=r"(?i)\bipex|[-_]ipex",
    # docs/mddocs/Quickstart/ollama_portable_zip_quickstart.md of ipex-llm: 2.3.0 nightly.
    forked="0.9.3",
    of_forks=r"(?:BIGDL|IPEX)_LLM_\w+",
    verbs=frozenset({"pull", "run", "create"}),
    valued=frozenset({"-f", "--file", "-q", "--quantize", "--keepalive", "--format"}),
    # The chart otwld/ollama-helm.
    chart_place=r"ollama-helm|otwld",
    chart_keys=frozenset({"gpu", "models", "mountPath", "insecure", "port"}),
    nixos_variables={
        "home": "HOME",
        "models": "OLLAMA_MODELS",
        "modelsDir": "OLLAMA_MODELS",
        "rocmOverrideGfx": "HSA_OVERRIDE_GFX_VERSION",
    },
    # The chart of Open WebUI; its values.yaml, `ollama.enabled: true`.
    wrapper="open-webui",
    wrapper_keys=frozenset(
        {"ollamaUrls", "ollamaUrlsFromExtraEnv", "openaiBaseApiUrl", "openaiBaseApiUrls"}
        | {"pipelines", "websocket", "enableOpenaiApi", "copyAppData", "managedCertificate"}
    ),
    nixos_overwritten=frozenset({"HOME", "OLLAMA_HOST", "OLLAMA_MODELS"}),
    nixos_address=("127.0.0.1", 11434),
    installs=r"\bollama\.(?:com|ai)/install\.sh\b|\bollama\.com/download/ollama-linux"
    r"|\bollama/releases/(?:latest/)?download/\S*ollama-linux",
    installer=r"\bollama\.(?:com|ai)/install\.sh\b",
    gone=r"\bollama\.com/download/(ollama-linux-\w+(?:-\w+)?\.tgz)$"
    r"|/ollama/releases/latest/download/(ollama-linux-\w+(?:-\w+)?(?:\.tgz)?)$",
    installed="OLLAMA_VERSION",
    api=r"(?i)[^\s:]*:11434|(?!\S*(?:web-?ui|[-_.]ui\b|frontend|client|exporter|proxy|gateway|router|metrics))"
    r"(?!(?:[\w-]{1,63}\.)?ollama\.(?:com|ai)(?![\w.-]))(?:[\w-]{1,63}[.-])?ollama[\w.-]*(?::\d+)?",
    application=r"OLLAMA_(?:\w+_)?(?:URLS?|URI|ENDPOINT|ADDR(?:ESS)?)"
    r"|OLLAMA_(?:API|BASE|SERVER|REMOTE|DEFAULT|LLM|CHAT|EMBED(?:DINGS?)?|VISION)_(?:HOST|PORT)"
    r"|OLLAMA_(?:(?:API|BASE|SERVER|REMOTE|DEFAULT|LLM|CHAT|EMBED(?:DINGS?)?|VISION)_)*"
    r"(?:API|BASE|SERVER|MODEL(?:_NAME|_ID)?)",
)
