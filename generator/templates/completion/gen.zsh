#compdef gen
# Completion of `gen` for zsh. In ~/.zshrc, after compinit: eval "$(gen completion zsh)"
_gen_completion() {
    local -a plain part told
    local line
    for line in "${(@f)$(_GEN_COMPLETE=zsh _GEN_LINE="${(j: :)${(@q)words[1,CURRENT]}}" \
        $words[1] 2>/dev/null)}"; do
        told=("${(@ps:\t:)line}")
        case $told[1] in
        file) _files ;;
        dir) _files -/ ;;
        part) part+=("${told[2]//:/\\:}:$told[3]") ;;
        plain) plain+=("${told[2]//:/\\:}:$told[3]") ;;
        esac
    done
    ((! $#part)) || _describe -V gen part -S ''
    ((! $#plain)) || _describe -V gen plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _gen_completion "$@"
else
    compdef _gen_completion gen
fi
