# ~/.bashrc
case $- in *i*) ;; *) return ;; esac
export EDITOR=vim
export OLLAMA_HOST=gpu-box.lan:11434
export OLLAMA_NUM_PARALLEL=4
export OLLAMA_MODELS="$HOME/models"
alias ll='ls -l'
