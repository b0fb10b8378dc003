@echo off
rem set OLLAMA_DEBUG = 1
set OLLAMA_FLASH_ATTENTION = 1
set "OLLAMA_KEEP_ALIVE=24h"
set OTHER = 1
ollama serve
