# The server in the rack, for everybody who logs in.
OLLAMA_HOST=rack.lan:11434
PATH=$PATH:/opt/ollama/bin
export PATH
