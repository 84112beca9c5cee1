"""Completion scripts for shells.

Those for bash, zsh and fish pass the line to one program, made by completer.py; PowerShell's contains the
tables itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmstream.adapters import catalogue
from llmstream.cli.parsing.commands import BY_NAME, COMMANDS, GROUPS, Command, first_words
from llmstream.cli.parsing.completer import program
from llmstream.cli.parsing.table import PROMPT, options_of

MARK: Final = "made by `llmstream completions"
"""Text in the first lines of every script; a file without it is not ours."""
OWN_NAMES: Final = r"""
    $folder = if ($env:LOCALAPPDATA) { Join-Path $env:LOCALAPPDATA 'llmstream' }
    elseif ($env:XDG_CONFIG_HOME) { Join-Path $env:XDG_CONFIG_HOME 'llmstream' }
    elseif ($IsMacOS) { Join-Path $HOME 'Library/Application Support/llmstream' }
    else { Join-Path $HOME '.config/llmstream' }
    $file = if ($env:LLMSTREAM_CONFIG) { $env:LLMSTREAM_CONFIG } else { Join-Path $folder 'config.toml' }
    $own = @()
    $aliases = @()
    $table = ''
    $lines = @()
    if (Test-Path -LiteralPath $file -PathType Leaf) { $lines = @(Get-Content -LiteralPath $file) }
    foreach ($line in $lines) {
        if ($line -match '^\s*\[\s*([^\]]+?)\s*\]') {
            $table = $Matches[1] -replace '["'']', ''
            if ($table -match '^providers\s*\.\s*([A-Za-z0-9_-]+)' -and $own -notcontains $Matches[1]) {
                $own += $Matches[1]
            }
        } elseif ($table -eq 'aliases' -and $line -match '^\s*["'']?([A-Za-z0-9_.:@+-]+)["'']?\s*=') {
            $aliases += $Matches[1]
        }
    }
""".strip("\n")
"""PowerShell code that reads the configuration's providers and aliases, like completer.py's program."""


def bash() -> str:
    """Return the script for bash 3.2 and later."""
    return f"""\
# bash completion for llmstream; {MARK} bash`, don't edit
_llmstream_program={_quoted(program())}
_llmstream() {{
    local rest="${{COMP_LINE:0:COMP_POINT}}" piece i line value words IFS=$' \\t\\n'
    words=()
    # readline also splits words at = and :, so join them again
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece="${{COMP_WORDS[i]}}"
        if [ $i -eq 0 ] || [ "$rest" != "${{rest#[[:space:]]}}" ]; then
            rest="${{rest#"${{rest%%[![:space:]]*}}"}}"
            words+=("")
        fi
        [ $i -eq "$COMP_CWORD" ] && piece="$rest"
        words[${{#words[@]}}-1]+="$piece"
        rest="${{rest#"$piece"}}"
    done
    value="${{words[${{#words[@]}}-1]}}"
    COMPREPLY=()
    while IFS= read -r line; do
        if [ "$line" = :files ]; then
            case "$value" in --*=*) value="${{value#*=}}" ;; esac
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$value")
            return
        fi
        COMPREPLY+=("${{line%%$'\\t'*}}")
    done < <(sh -c "$_llmstream_program" llmstream "${{words[@]:1}}" 2>/dev/null)
    case "${{COMPREPLY[0]-}}" in */ | *=) compopt -o nospace 2>/dev/null ;; esac
    # readline replaces only the text after the last : or =
    case "$value" in --*=*) value="${{value#*=}}" ;; esac
    case "$value" in *:*) value="${{value%"${{value##*:}}"}}" ;; *) value="" ;; esac
    [ -n "$value" ] && COMPREPLY=("${{COMPREPLY[@]#"$value"}}")
    return 0
}}
complete -F _llmstream llmstream
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def zsh() -> str:
    """Return the script for zsh."""
    return f"""\
#compdef llmstream
# zsh completion for llmstream; {MARK} zsh`, don't edit
_llmstream_program={_quoted(program())}
_llmstream() {{
    local -a whole begun
    local line said
    while IFS= read -r line; do
        if [[ "$line" == :files ]]; then
            [[ "$PREFIX" == --*=* ]] && compset -P '*='
            _files
            return
        fi
        said="${{${{line%%$'\\t'*}}//:/\\\\:}}"
        [[ "$line" == *$'\\t'* ]] && said+=":${{line#*$'\\t'}}"
        case "${{line%%$'\\t'*}}" in
            */ | *=) begun+=("$said") ;;
            *) whole+=("$said") ;;
        esac
    done < <(sh -c "$_llmstream_program" llmstream "${{(@Q)words[2,CURRENT-1]}}" "$PREFIX" 2>/dev/null)
    [[ "$PREFIX" == --*=* ]] && compset -P '*='
    (( ${{#whole}} )) && _describe llmstream whole
    (( ${{#begun}} )) && _describe llmstream begun -S ''
}}
if [ "$funcstack[1]" = "_llmstream" ]; then _llmstream "$@"; else compdef _llmstream llmstream; fi
"""


def fish() -> str:
    """Return the script for fish."""
    text = program().replace("\\", "\\\\").replace("'", "\\'")
    return f"""\
# fish completion for llmstream; {MARK} fish`, don't edit
set -g __llmstream_program '{text}'
function __llmstream_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l before (string match -r '^--[^=]+=' -- $current)
    for line in (sh -c $__llmstream_program llmstream $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            set -l path (string replace -r '^--[^=]+=' '' -- $current)
            __fish_complete_path "$path" | string replace -r '^' -- "$before"
        else
            printf '%s\\n' "$before$line"
        end
    end
end
complete -c llmstream -f -a '(__llmstream_complete)'
"""


def powershell() -> str:
    """Return the script for PowerShell 5.1 and later, which contains the tables itself."""
    rows = {name: _spellings(name) for name in [*BY_NAME, *GROUPS]}
    for group in GROUPS:
        within = [one.name.split()[1] for one in COMMANDS if one.name.startswith(f"{group} ")]
        rows[group] = [*within, *rows[group]]
    for command in COMMANDS:
        names = catalogue.names() if _takes_provider(command) else []
        rows[command.name] = [*command.words, *names, *rows[command.name]]
    table = "\n".join(f"        {_pwsh(name)} = {_pwsh(' '.join(words))}" for name, words in rows.items())
    values = {f"--{one.name}": one.choices for one in options_of(PROMPT) if one.choices}
    choices = "\n".join(f"        {_pwsh(name)} = {_pwsh(' '.join(words))}" for name, words in values.items())
    models = "\n".join(f"        {_pwsh(name)} = $models" for name in ("--model", "-m", "--fallback"))
    asking = ", ".join(_pwsh(command.name) for command in COMMANDS if _takes_provider(command))
    providers = " ".join(f"{name}/" for name in catalogue.names())
    return f"""\
# PowerShell completion for llmstream; {MARK} powershell`, don't edit
Register-ArgumentCompleter -Native -CommandName llmstream -ScriptBlock {{
    param($word, $ast, $position)
{OWN_NAMES}
    $models = (@($aliases) + @($own | ForEach-Object {{ "$_/" }}) + {_pwsh(providers)}) -join ' '
    $commands = @{{
{table}
    }}
    $values = @{{
{choices}
{models}
    }}
    $words = @($ast.CommandElements | ForEach-Object {{ "$_" }})
    if ($words -contains '--') {{ return }}
    $done = if ($word) {{ $words.Count - 1 }} else {{ $words.Count }}
    $previous = $words[$done - 1]
    $list = {_pwsh(" ".join(first_words()))} + ' ' + $commands['{PROMPT}']
    if ($done -gt 1 -and $commands.ContainsKey($words[1])) {{ $list = $commands[$words[1]] }}
    $both = if ($done -gt 2) {{ $words[1] + ' ' + $words[2] }} else {{ '' }}
    if ($commands.ContainsKey($both)) {{ $list = $commands[$both] }}
    if (@({asking}) -contains $(if ($commands.ContainsKey($both)) {{ $both }} else {{ $words[1] }})) {{
        $list = ($own -join ' ') + ' ' + $list
    }}
    if ($values.ContainsKey($previous)) {{ $list = $values[$previous] }}
    $list -split ' ' | Where-Object {{ $_ -like "$word*" }} | ForEach-Object {{
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }}
}}
"""


def _takes_provider(command: Command) -> bool:
    return any("PROVIDER" in one for one in command.arguments)


def _spellings(command: str) -> list[str]:
    options = options_of(command)
    return [f"--{one.name}" for one in options] + [f"-{one.short}" for one in options if one.short]


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
    """Return the completion script of one of `SHELLS`."""
    return SCRIPTS[shell]()
