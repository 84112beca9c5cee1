"""The program that completes command lines for all shells, in POSIX sh, made from the tables.

It takes the words of a line and prints the candidates for the last one, each with a tab and a short
description; ``:files`` alone means to complete file names.  TAB never starts Python: the
program reads providers, aliases and templates from the user's files, models from the lists cached by
`llmstream models`, and sessions from the history if sqlite3 is installed.  Names with unusual characters are
left out, so that no name from a server can be run as shell code.
"""

from __future__ import annotations

from typing import Final

from llmstream.adapters import catalogue
from llmstream.cli.parsing.commands import BY_NAME, COMMANDS, DEFAULTS, GROUPS, Command, first_words
from llmstream.cli.parsing.table import PROMPT, Option, options_of
from llmstream.prompt import Options
from llmstream.record import names as names_of

FILES: Final = frozenset({"SOURCE", "FILE", "PATH", "INPUT", "OUTPUT"})
"""Names of arguments that are files."""

NAMES: Final = r"""
cache=${XDG_CACHE_HOME:-$HOME/.cache}
settings=${XDG_CONFIG_HOME:-$HOME/.config}
data=${XDG_DATA_HOME:-$HOME/.local/share}
case $(uname -s 2>/dev/null) in
Darwin)
    cache=${XDG_CACHE_HOME:-$HOME/Library/Caches}
    settings=${XDG_CONFIG_HOME:-$HOME/Library/Application Support}
    data=${XDG_DATA_HOME:-$HOME/Library/Application Support} ;;
esac
file=${LLMSTREAM_CONFIG:-$settings/llmstream/config.toml}
configured() {
    [ -r "$file" ] || return
    awk -v want="$1" '
        /^[ \t]*\[/ {
            table = $0
            gsub(/^[ \t]*\[[ \t]*|[ \t]*\].*$|["\047]/, "", table)
            part = table
            if (want == "providers" && sub(/^providers[ \t]*\.[ \t]*/, "", part)) {
                sub(/[ \t]*\..*/, "", part)
                if (part ~ /^[A-Za-z0-9_.-]+$/ && !seen[part]++) print part
            }
            next
        }
        want == "aliases" && table == "aliases" && /=/ {
            name = $0
            sub(/[ \t]*=.*/, "", name)
            gsub(/^[ \t]*|["\047]/, "", name)
            if (name ~ /^[A-Za-z0-9_.:@+-]+$/) print name
        }' "$file" 2>/dev/null
}
providers() {
    configured providers | sed 's/$/	configured/'
    printf '%s\n' CATALOGUE
}
models() {
    configured aliases | sed 's/$/	alias/'
    configured providers | sed 's|$|/	configured|'
    printf '%s/\n' CATALOGUE
    for one in "$data"/llmstream/models/*.gguf; do
        [ -r "$one" ] && one=${one##*/} && printf '%s\n' "local/${one%.gguf}"
    done | grep -x 'local/[A-Za-z0-9._:@+-]*'
    for one in "$cache"/llmstream/models/*.json; do
        [ -r "$one" ] || continue
        name=${one##*/}
        sed 's/.*"models": *\[//' "$one" 2>/dev/null | grep -o '"[A-Za-z0-9._:/@+-]*"' |
            sed -e 's/"//g' -e "s|^|${name%.json}/|"
    done
}
templates() {
    for one in "${file%/*}"/templates/*.toml; do
        [ -r "$one" ] && one=${one##*/} && printf '%s\n' "${one%.toml}"
    done | grep -x '[A-Za-z0-9_.-]*'
}
sessions() {
    [ -r "$data/llmstream/history.db" ] && command -v sqlite3 >/dev/null || return
    sqlite3 -readonly "$data/llmstream/history.db" \
        'SELECT session FROM runs GROUP BY session ORDER BY max(row) DESC LIMIT 100' 2>/dev/null |
        grep -x '[A-Za-z0-9_.:@+-]*'
}
"""

LINE: Final = r"""
command=PROMPT wanted= asking= place=0 started=
while [ $# -gt 1 ]; do
    word=$1
    shift
    if [ -n "$wanted" ]; then
        [ "$asking" != --config ] || file=$word
        wanted=
        continue
    fi
    case $word in
    --) exit 0 ;;
    --config=*) file=${word#*=} ;;
    --*=*) ;;
    -?*) asking=$word && value "$command" "$word" ;;
    *)
        if [ -z "$started" ]; then
            started=1
            named "$word" && command=$word || place=1
        elif named "$command $word"; then
            command="$command $word"
        else
            place=$((place + 1))
        fi ;;
    esac
done
current=$1
if [ -z "$wanted" ]; then
    case $current in
    --*=*)
        value "$command" "${current%%=*}"
        [ -n "$wanted" ] || exit 0
        current=${current#*=} ;;
    -*) wanted=options ;;
    *) argument "$command" "$place" ;;
    esac
fi
case $wanted in
options) options "$command" ;;
commands) [ -n "$started" ] || commands ;;
group) group "$command" ;;
provider) providers ;;
model) models ;;
template) templates ;;
session) sessions ;;
setting) case $current in *=*) ;; *) printf '%s=\n' SETTINGS ;; esac ;;
files) echo :files ;;
=*) printf '%s\n' ${wanted#=} ;;
esac | while IFS= read -r line; do
    case $line in "$current"* | :files) printf '%s\n' "$line" ;; esac
done
"""


def program() -> str:
    """Return the program; its arguments are the words after ``llmstream`` up to the one being typed."""
    names = NAMES.replace("CATALOGUE", " ".join(catalogue.names()))
    line = LINE.replace("PROMPT", PROMPT).replace("SETTINGS", " ".join(names_of(Options())[:-1]))
    return names + _named() + _values() + _arguments() + _options() + _words() + line


def _named() -> str:
    known = "|".join(f'"{name}"' for name in [*BY_NAME, *GROUPS])
    return f"named() {{ case $1 in {known}) ;; *) return 1 ;; esac; }}\n"


def _values() -> str:
    """Return the shell function that finds the kind of an option's value."""
    found: dict[str, list[str]] = {}
    for command in [*BY_NAME, *GROUPS]:
        for option in options_of(DEFAULTS.get(command, command)):
            if option.kind != "flag":
                found.setdefault(_kind(option), []).extend(f'"{command} {name}"' for name in _names(option))
    cases = "\n".join(f'    {"|".join(names)}) wanted="{kind}" ;;' for kind, names in found.items())
    return f'value() {{\n    case "$1 $2" in\n{cases}\n    *) wanted= ;;\n    esac\n}}\n'


def _kind(option: Option) -> str:
    """Return the kind of an option's value."""
    if option.choices:
        return "=" + " ".join(option.choices)
    if option.name in ("model", "fallback") or option.metavar == "MODEL":
        return "model"
    if option.name in ("template", "session", "provider"):
        return option.name
    if option.name == "option":
        return "setting"
    return "files" if option.kind == "path" or option.name == "schema" else "text"


def _arguments() -> str:
    """Return the shell function that finds the kind of a command's argument by its position."""
    cases = []
    for command in COMMANDS:
        for place, argument in enumerate(command.arguments):
            kind = _argument(command, argument)
            if kind:
                places = "*" if argument.endswith("...") else f'"{place}"'
                cases.append(f'    "{command.name} "{places}) wanted="{kind}" ;;')
    cases += [f'    "{group} 0") wanted=group ;;' for group in GROUPS]
    cases += [f'    "{PROMPT} 0") wanted=commands ;;']
    bare = "|".join(f'"{one.name} "*' for one in COMMANDS if not one.arguments)
    cases += [f"    {bare}) wanted=options ;;"]
    return 'argument() {\n    case "$1 $2" in\n' + "\n".join(cases) + "\n    *) wanted= ;;\n    esac\n}\n"


def _argument(command: Command, argument: str) -> str:
    name = argument.strip("[].")
    if command.words and argument == command.arguments[0]:
        return "=" + " ".join(command.words)
    if name in ("PROVIDER", "MODEL"):
        return name.lower()
    if name == "NAME" and command.name.startswith("template "):
        return "template"
    if name == "SHELL":
        return "=bash zsh fish"
    return "files" if name in FILES else ""


def _options() -> str:
    cases = []
    for command in [*BY_NAME, *GROUPS]:
        lines = [
            f"{name}\t{option.help}"
            for option in options_of(DEFAULTS.get(command, command))
            for name in _names(option)
        ]
        cases.append(f'    "{command}") cat <<"_"\n' + "\n".join(lines) + "\n_\n    ;;")
    return "options() {\n    case $1 in\n" + "\n".join(cases) + "\n    esac\n}\n"


def _words() -> str:
    first = "\n".join(f"{name}\t{text}" for name, text in first_words().items())
    cases = []
    for group in GROUPS:
        within = [one for one in COMMANDS if one.name.startswith(f"{group} ")]
        lines = "\n".join(f"{one.name.split()[1]}\t{one.help}" for one in within)
        cases.append(f'    "{group}") cat <<"_"\n{lines}\n_\n    ;;')
    return (
        f'commands() {{ cat <<"_"\n{first}\n_\n}}\ngroup() {{\n    case $1 in\n'
        + "\n".join(cases)
        + "\n    esac\n}\n"
    )


def _names(option: Option) -> list[str]:
    short = [f"-{option.short}"] if option.short else []
    return [f"--{option.name}", *short, *([f"--{option.off}"] if option.off else [])]
