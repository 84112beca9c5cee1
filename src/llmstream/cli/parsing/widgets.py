"""Key bindings for shells: Ctrl-X L sends the command line to a model and replaces it by the answer's code.

Nothing is run: the user can read and change the line before Enter.  A failure leaves it unchanged.
"""

from __future__ import annotations

from typing import Final

ASK: Final = "command llmstream -x --no-stdin --"
"""Prints the answer's first code block, or all of it without one; ``--`` allows any start of the line."""
BASH: Final = f"""\
# Ctrl-X L in bash 4 and later; made by `llmstream completions widget bash`, don't edit
_llmstream_ask() {{
    local answer
    [[ $READLINE_LINE == *[![:space:]]* ]] || return
    answer="$({ASK} "$READLINE_LINE" </dev/null)" && [ -n "$answer" ] || return
    READLINE_LINE="$answer"
    READLINE_POINT=${{#READLINE_LINE}}
}}
bind -x '"\\C-xl": _llmstream_ask'
"""
ZSH: Final = f"""\
# Ctrl-X L in zsh; made by `llmstream completions widget zsh`, don't edit
_llmstream_ask() {{
    local answer
    [[ $BUFFER == *[^[:space:]]* ]] || return
    zle -I
    if answer="$({ASK} "$BUFFER" </dev/null)" && [[ -n $answer ]]; then
        BUFFER="$answer"
        CURSOR=${{#BUFFER}}
    fi
    zle reset-prompt
}}
zle -N _llmstream_ask
bindkey '^Xl' _llmstream_ask
bindkey '^XL' _llmstream_ask
"""
FISH: Final = f"""\
# Ctrl-X L in fish; made by `llmstream completions widget fish`, don't edit
function _llmstream_ask
    set -l line (commandline | string collect)
    string match -qr '\\S' -- $line; or return
    echo
    set -l answer ({ASK} $line </dev/null)
    if test $status -eq 0 -a (count $answer) -gt 0
        commandline -r -- (string join \\n -- $answer | string collect)
    end
    commandline -f repaint
end
bind \\cxl _llmstream_ask
bind \\cxL _llmstream_ask
"""
WIDGETS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def widget(shell: str) -> str:
    """Return the lines for a shell's start-up file.

    Raises:
        KeyError: there is no key binding for this shell.
    """
    return WIDGETS[shell]
