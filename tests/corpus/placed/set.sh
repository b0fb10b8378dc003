#!/bin/sh
launchctl setenv OLLAMA_KEEP_ALIVE 1h
osascript -e 'quit app "Ollama"'
