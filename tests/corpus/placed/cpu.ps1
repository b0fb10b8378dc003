$env:CUDA_VISIBLE_DEVICES = ''
$env:OLLAMA_KEEP_ALIVE = '1h'
ollama serve
