# Completion of `gen` for bash. In ~/.bashrc: eval "$(gen completion bash)"
_gen_completion() {
    local kind value rest
    COMPREPLY=()
    while IFS=$'\t' read -r kind value rest; do
        case $kind in
        file) compopt -o default ;;
        dir) compopt -o dirnames ;;
        part) compopt -o nospace && COMPREPLY+=("$value") ;;
        *) COMPREPLY+=("$value") ;;
        esac
    done < <(_GEN_COMPLETE=bash _GEN_LINE="${COMP_LINE:0:COMP_POINT}" \
        _GEN_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
}
complete -o nosort -F _gen_completion gen
