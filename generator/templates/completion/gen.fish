# Completion of `gen` for fish. In ~/.config/fish/config.fish: gen completion fish | source
function _gen_completion
    set -l words (commandline -opc)
    for line in (env _GEN_COMPLETE=fish _GEN_LINE=(commandline -cp | string collect) $words[1] 2>/dev/null)
        set -l told (string split \t -- $line)
        switch $told[1]
            case file
                __fish_complete_path (commandline -ct)
            case dir
                __fish_complete_directories (commandline -ct)
            case '*'
                echo -s $told[2] \t $told[3]
        end
    end
end
complete -c gen -f -a '(_gen_completion)'
