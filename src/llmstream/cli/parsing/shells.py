"""Completion scripts for shells, made from the command tree.

The scripts are static: TAB never starts Python.  Models come from the lists that `llmstream models`
has cached, read by the shell itself; names with any unusual character are left out, so that
nothing a server named can reach the shell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmstream.adapters import catalogue
from llmstream.cli.parsing.commands import first_words
from llmstream.cli.parsing.tree import FILES, MODELS, VALUES, Choice, Node, providers, tree, valued, words_of

SHELL_MODELS: Final = """\
    local folder="${XDG_CACHE_HOME:-$HOME/.cache}/llmstream/models" file name
    printf '%s\\n' {providers}
    for file in "$folder"/*.json; do
        [ -r "$file" ] || continue
        name="${file##*/}"
        sed 's/.*"models": *\\[//' "$file" 2>/dev/null | grep -o '"[A-Za-z0-9._:/@+-]*"' |
            sed -e 's/"//g' -e "s|^|${name%.json}/|"
    done
"""
"""Prints the models that are known, one a line; what is left of a list has only harmless characters."""


def bash() -> str:
    """Return the script for bash 3.2 and later."""
    values = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$value")) ;;'
        for name, words in VALUES.items()
    )
    cases = "\n".join(f'        {n.name or "*"}) list="{words_of(n)}" ;;' for n in [*tree()[1:], tree()[0]])
    return f"""\
# bash completion for llmstream; made by `llmstream completions bash`, don't edit
_llmstream_models() {{
{SHELL_MODELS.replace("{providers}", " ".join(providers()))}}}
_llmstream() {{
    local line="${{COMP_LINE:0:COMP_POINT}}" cur prev value command="" list word i strip=""
    cur="${{line##*[[:space:]]}}"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        [ "$word" = "--" ] && return
        [ $i -eq 1 ] && command="$word"
    done
    prev="${{COMP_WORDS[COMP_CWORD - 1]}}"
    value="$cur"
    case "$cur" in --*=*) prev="${{cur%%=*}}" value="${{cur#*=}}" strip="$prev=" ;; esac
    case "$prev" in
        {"|".join(sorted(MODELS))}) COMPREPLY=($(compgen -W "$(_llmstream_models)" -- "$value")) ;;
        {"|".join(sorted(FILES))}) COMPREPLY=($(compgen -f -- "$value")) ;;
{values}
        {"|".join(name for name in valued() if name not in (MODELS | FILES | set(VALUES)))}) return ;;
        *)
            case "$command" in
{cases}
            esac
            if [ "$command" = models ] && [ "${{cur#-}}" = "$cur" ]; then
                list="{" ".join(catalogue.names())}"
            elif [ "$command" = pull ] && [ "${{cur#-}}" = "$cur" ]; then
                COMPREPLY=($(compgen -f -- "$cur"))
                return
            fi
            COMPREPLY=($(compgen -W "$list" -- "$cur"))
            ;;
    esac
    # readline replaces only what stands behind the last : or =
    case "$value" in *:*) strip="${{value%"${{value##*:}}"}}" ;; *) strip="" ;; esac
    [ -n "$strip" ] && COMPREPLY=("${{COMPREPLY[@]#"$strip"}}")
    case "${{COMPREPLY[0]-}}" in */) compopt -o nospace 2>/dev/null ;; esac
}}
complete -F _llmstream llmstream
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def zsh() -> str:
    """Return the script for zsh."""
    cases = []
    for node in [*tree()[1:], tree()[0]]:
        words = [f"{word}:{first_words().get(word, '')}" for word in node.words]
        described = [f"{n}:{o.help}" for o in node.options for n in o.names]
        lines = " ".join(_quoted(text.replace("\\", "")) for text in [*words, *described])
        cases.append(f"        {node.name or '*'}) list=({lines}) ;;")
    values = "\n".join(
        f"        {name}) compadd -- {' '.join(words)}; return ;;" for name, words in VALUES.items()
    )
    others = "|".join(name for name in valued() if name not in (MODELS | FILES | set(VALUES)))
    return f"""\
#compdef llmstream
# zsh completion for llmstream; made by `llmstream completions zsh`, don't edit
_llmstream_models() {{
    setopt local_options null_glob
{SHELL_MODELS.replace("{providers}", " ".join(providers()))}}}
_llmstream() {{
    local -a list
    (( ${{words[(I)--]}} && ${{words[(I)--]}} < CURRENT )) && return
    case "${{words[CURRENT-1]}}" in
        {"|".join(sorted(MODELS))}) compadd -S '' -- ${{(f)"$(_llmstream_models)"}}; return ;;
        {"|".join(sorted(FILES))}) _files; return ;;
{values}
        {others}) return ;;
    esac
    local command=""
    (( CURRENT > 2 )) && command="${{words[2]}}"
    [[ "$command" == pull && "${{words[CURRENT]}}" != -* ]] && {{ _files; return; }}
    if [[ "$command" == models && "${{words[CURRENT]}}" != -* ]]; then
        compadd -- {" ".join(catalogue.names())}
        return
    fi
    case "$command" in
{chr(10).join(cases)}
    esac
    _describe 'llmstream' list
}}
if [ "$funcstack[1]" = "_llmstream" ]; then _llmstream "$@"; else compdef _llmstream llmstream; fi
"""


def _fish_line(node: Node, option: Choice) -> str:
    names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
    seen = "__fish_seen_subcommand_from"
    where = f"{seen} {node.name}" if node.name else f"not {seen} {' '.join(first_words())}"
    value = " -r" if option.value else ""
    if any(name in MODELS for name in option.names):
        value = " -x -a '(__llmstream_models)'"
    elif any(name in VALUES for name in option.names):
        found = next(VALUES[name] for name in option.names if name in VALUES)
        value = f" -x -a '{' '.join(found)}'"
    elif option.value and not any(name in FILES for name in option.names):
        value = " -x"
    return f"complete -c llmstream -n '{where}' {names}{value} -d {_quoted(option.help)}"


def fish() -> str:
    """Return the script for fish."""
    lines = [_fish_line(node, option) for node in tree() for option in node.options]
    for name, text in first_words().items():
        lines.append(f"complete -c llmstream -f -n '__fish_is_first_token' -a {name} -d {_quoted(text)}")
    for node in tree()[2:]:
        words = " ".join(node.words) or ("" if node.name != "models" else " ".join(catalogue.names()))
        if words:
            lines.append(
                f"complete -c llmstream -f -n '__fish_seen_subcommand_from {node.name}' -a '{words}'"
            )
    return f"""\
# fish completion for llmstream; made by `llmstream completions fish`, don't edit
function __llmstream_models
    printf '%s\\n' {" ".join(providers())}
    set -l folder ~/.cache/llmstream/models
    set -q XDG_CACHE_HOME; and set folder $XDG_CACHE_HOME/llmstream/models
    for file in $folder/*.json
        set -l name (string replace -r '.*/(.*)\\.json$' '$1' $file)
        sed 's/.*"models": *\\[//' $file 2>/dev/null | grep -o '"[A-Za-z0-9._:/@+-]*"' |
            string replace -a '"' '' | string replace -r '^' "$name/"
    end
end
{chr(10).join(lines)}
"""


def powershell() -> str:
    """Return the script for PowerShell 5.1 and later."""
    rows = "\n".join(f"        {_pwsh(n.name)} = {_pwsh(words_of(n))}" for n in tree())
    values = "\n".join(f"        {_pwsh(name)} = {_pwsh(' '.join(words))}" for name, words in VALUES.items())
    models = "\n".join(f"        {_pwsh(name)} = $providers" for name in sorted(MODELS))
    return f"""\
# PowerShell completion for llmstream; made by `llmstream completions powershell`, don't edit
Register-ArgumentCompleter -Native -CommandName llmstream -ScriptBlock {{
    param($word, $ast, $position)
    $providers = {_pwsh(" ".join(providers()))}
    $commands = @{{
{rows}
    }}
    $values = @{{
{values}
{models}
    }}
    $words = @($ast.CommandElements | ForEach-Object {{ "$_" }})
    if ($words -contains '--') {{ return }}
    $done = if ($word) {{ $words.Count - 1 }} else {{ $words.Count }}
    $previous = $words[$done - 1]
    $command = if ($done -gt 1 -and $commands.ContainsKey($words[1])) {{ $words[1] }} else {{ '' }}
    $list = if ($values.ContainsKey($previous)) {{ $values[$previous] }} else {{ $commands[$command] }}
    $list -split ' ' | Where-Object {{ $_ -like "$word*" }} | ForEach-Object {{
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }}
}}
"""


def _pwsh(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


SCRIPTS: Final[dict[str, Callable[[], str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
    "powershell": powershell,
}
SHELLS: Final = tuple(SCRIPTS)


def script(shell: str) -> str:
    """Return a shell's completion script."""
    return SCRIPTS[shell]()
