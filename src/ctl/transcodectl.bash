# Completion of transcodectl for bash.

_transcodectl_ids() {
    transcodectl "$@" list --json 2>/dev/null |
        grep -o '"id":[0-9]*' | cut -d: -f2
}

_transcodectl_profiles() {
    transcodectl "$@" profiles 2>/dev/null | tail -n +2 | cut -d' ' -f1
}

_transcodectl() {
    local commands="submit run plan list show follow cancel pause resume retry
        devices profiles report bench status drain undrain doctor"
    local states="queued starting running paused succeeded failed cancelled"
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command="" options="--socket --json --help --version" i
    local -a socket=()
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket) socket=(--socket "${COMP_WORDS[++i]}") ;;
        -*) ;;
        *) [[ $command ]] || command=${COMP_WORDS[i]} ;;
        esac
    done
    case $before in
    --socket) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
    --priority)
        mapfile -t COMPREPLY < <(compgen -W "realtime normal batch" -- "$word")
        return ;;
    --state)
        mapfile -t COMPREPLY < <(compgen -W "$states" -- "$word")
        return ;;
    --limit | -n | --before | --days | --seconds | --streams) return ;;
    esac

    case $command in
    submit) options+=" --follow --priority" ;;
    report) options+=" --days" ;;
    bench) options+=" --seconds --streams" ;;
    devices) options+=" --watch" ;;
    list) options+=" --state --limit --before" ;;
    doctor) options+=" --test" ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    case $command in
    "") mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
    submit | run | plan)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    show | follow | cancel | pause | resume | retry)
        mapfile -t COMPREPLY < <(
            compgen -W "$(_transcodectl_ids "${socket[@]}")" -- "$word") ;;
    profiles)
        mapfile -t COMPREPLY < <(
            compgen -W "$(_transcodectl_profiles "${socket[@]}")" -- "$word") ;;
    esac
}

complete -F _transcodectl transcodectl
