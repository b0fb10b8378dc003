FROM ollama/ollama:0.32.15 AS server
COPY start.sh /start.sh
ENV OLLAMA_KEEP_ALIVE=30m OLLAMA_KV_CACHE_TYPE=q4
ENTRYPOINT ["/bin/bash", "/start.sh"]

FROM python:3.13 AS tests
ENV OLLAMA_BASE_URL=http://llm:11434
