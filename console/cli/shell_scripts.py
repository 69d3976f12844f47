"""The scripts that make a shell complete the words of `bus-console`: each asks `bus-console complete` what there is."""

from collections.abc import Mapping
from typing import Final

SCRIPTS: Final[Mapping[str, str]] = {
    "bash": """\
# bash completion for bus-console; in ~/.bashrc:  eval "$(bus-console completion bash)"
_bus_console() {
    local IFS=$'\\n'
    COMPREPLY=( $(bus-console complete bash -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null) )
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/:.\\>] ]] && compopt -o nospace
}
complete -F _bus_console bus-console
""",
    "zsh": """\
#compdef bus-console
# zsh completion for bus-console; in ~/.zshrc:  eval "$(bus-console completion zsh)"
_bus_console() {
    local text note
    local -a texts open_texts notes open_notes
    while IFS=$'\\t' read -r text note; do
        if [[ $text == *[=/:.\\>] ]]; then
            open_texts+=("$text") open_notes+=("$text${note:+  -- $note}")
        else
            texts+=("$text") notes+=("$text${note:+  -- $note}")
        fi
    done < <(bus-console complete zsh -- "${(@)words[1,CURRENT]}" 2>/dev/null)
    compadd -U -l -d notes -a texts
    compadd -U -l -S '' -d open_notes -a open_texts
}
compdef _bus_console bus-console
""",
    "fish": """\
# fish completion for bus-console; in ~/.config/fish/config.fish:  bus-console completion fish | source
complete -c bus-console -f -a '(bus-console complete fish -- (commandline -opc) (commandline -ct) 2>/dev/null)'
""",
}
"""By the shell's name."""
