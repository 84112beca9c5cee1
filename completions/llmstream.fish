# fish completion for llmstream; made by `llmstream completions fish`, don't edit
set -g __llmstream_program '
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
    awk -v want="$1" \'
        /^[ \\t]*\\[/ {
            table = $0
            gsub(/^[ \\t]*\\[[ \\t]*|[ \\t]*\\].*$|["\\047]/, "", table)
            part = table
            if (want == "providers" && sub(/^providers[ \\t]*\\.[ \\t]*/, "", part)) {
                sub(/[ \\t]*\\..*/, "", part)
                if (part ~ /^[A-Za-z0-9_.-]+$/ && !seen[part]++) print part
            }
            next
        }
        want == "aliases" && table == "aliases" && /=/ {
            name = $0
            sub(/[ \\t]*=.*/, "", name)
            gsub(/^[ \\t]*|["\\047]/, "", name)
            if (name ~ /^[A-Za-z0-9_.:@+-]+$/) print name
        }\' "$file" 2>/dev/null
}
providers() {
    configured providers | sed \'s/$/	configured/\'
    printf \'%s\\n\' local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm
}
models() {
    configured aliases | sed \'s/$/	alias/\'
    configured providers | sed \'s|$|/	configured|\'
    printf \'%s/\\n\' local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm
    for one in "$data"/llmstream/models/*.gguf; do
        [ -r "$one" ] && one=${one##*/} && printf \'%s\\n\' "local/${one%.gguf}"
    done | grep -x \'local/[A-Za-z0-9._:@+-]*\'
    for one in "$cache"/llmstream/models/*.json; do
        [ -r "$one" ] || continue
        name=${one##*/}
        sed \'s/.*"models": *\\[//\' "$one" 2>/dev/null | grep -o \'"[A-Za-z0-9._:/@+-]*"\' |
            sed -e \'s/"//g\' -e "s|^|${name%.json}/|"
    done
}
templates() {
    for one in "${file%/*}"/templates/*.toml; do
        [ -r "$one" ] && one=${one##*/} && printf \'%s\\n\' "${one%.toml}"
    done | grep -x \'[A-Za-z0-9_.-]*\'
}
sessions() {
    [ -r "$data/llmstream/history.db" ] && command -v sqlite3 >/dev/null || return
    sqlite3 -readonly "$data/llmstream/history.db" \\
        \'SELECT session FROM runs GROUP BY session ORDER BY max(row) DESC LIMIT 100\' 2>/dev/null |
        grep -x \'[A-Za-z0-9_.:@+-]*\'
}
named() { case $1 in "prompt"|"compare"|"replay"|"bench"|"batch"|"models"|"providers"|"pull"|"chat"|"history list"|"history show"|"history search"|"history export"|"history rm"|"history prune"|"history path"|"history on"|"history off"|"template list"|"template show"|"template save"|"template edit"|"template rm"|"template path"|"doctor"|"config path"|"config show"|"config check"|"config init"|"config edit"|"config alias"|"keys set"|"keys list"|"keys delete"|"schema"|"completions"|"history"|"template"|"config"|"keys") ;; *) return 1 ;; esac; }
value() {
    case "$1 $2" in
    "prompt --model"|"prompt -m"|"prompt --fallback"|"compare --model"|"compare -m"|"bench --model"|"bench -m"|"batch --model"|"batch -m"|"batch --fallback"|"chat --model"|"chat -m"|"chat --fallback"|"template save --model"|"template save -m"|"config show --model"|"config show -m") wanted="model" ;;
    "prompt --system"|"prompt -s"|"prompt --param"|"prompt -p"|"prompt --temperature"|"prompt --max-tokens"|"prompt --top-p"|"prompt --stop"|"prompt --seed"|"prompt --separator"|"prompt -S"|"prompt --retries"|"prompt --timeout-connect"|"prompt --timeout-first"|"prompt --timeout-idle"|"prompt --timeout-total"|"compare --system"|"compare -s"|"compare --temperature"|"compare --max-tokens"|"compare --top-p"|"compare --stop"|"compare --seed"|"compare --retries"|"compare --timeout-connect"|"compare --timeout-first"|"compare --timeout-idle"|"compare --timeout-total"|"replay --separator"|"replay -S"|"replay --speed"|"bench --system"|"bench -s"|"bench --temperature"|"bench --max-tokens"|"bench --top-p"|"bench --stop"|"bench --timeout-connect"|"bench --timeout-first"|"bench --timeout-idle"|"bench --timeout-total"|"bench --requests"|"bench -n"|"bench --jobs"|"bench -j"|"bench --rate"|"bench --duration"|"bench --warmup"|"bench --prompt-tokens"|"bench --seed"|"bench --slo"|"batch --system"|"batch -s"|"batch --temperature"|"batch --max-tokens"|"batch --top-p"|"batch --stop"|"batch --seed"|"batch --retries"|"batch --timeout-connect"|"batch --timeout-first"|"batch --timeout-idle"|"batch --timeout-total"|"batch --jobs"|"batch -j"|"batch --rpm"|"batch --tpm"|"batch --max-failures"|"batch --ray-address"|"models --query"|"models -q"|"chat --system"|"chat -s"|"chat --temperature"|"chat --max-tokens"|"chat --top-p"|"chat --stop"|"chat --seed"|"chat --retries"|"chat --timeout-connect"|"chat --timeout-first"|"chat --timeout-idle"|"chat --timeout-total"|"history list --number"|"history list -n"|"history search --number"|"history search -n"|"history export --since"|"history prune --older"|"history prune --keep"|"template save --system"|"template save -s"|"template save --param"|"template save -p"|"template save --temperature"|"template save --max-tokens"|"template save --top-p"|"template save --stop"|"template save --seed"|"history --number"|"history -n") wanted="text" ;;
    "prompt --file"|"prompt -f"|"prompt --attach"|"prompt -a"|"prompt --schema"|"prompt --config"|"prompt --record"|"compare --file"|"compare -f"|"compare --attach"|"compare -a"|"compare --schema"|"compare --config"|"replay --config"|"bench --file"|"bench -f"|"bench --attach"|"bench -a"|"bench --schema"|"bench --svg"|"bench --config"|"batch --attach"|"batch -a"|"batch --schema"|"batch --output"|"batch --config"|"models --config"|"providers --config"|"pull --config"|"chat --schema"|"chat --config"|"history list --config"|"history show --config"|"history search --config"|"history export --config"|"history rm --config"|"history prune --config"|"history path --config"|"history on --config"|"history off --config"|"template list --config"|"template show --config"|"template save --schema"|"template save --config"|"template edit --config"|"template rm --config"|"template path --config"|"doctor --config"|"config path --config"|"config show --config"|"config check --config"|"config init --config"|"config edit --config"|"config alias --config"|"keys set --config"|"keys list --config"|"keys delete --config"|"schema --config"|"completions --config"|"history --config"|"template --config"|"config --config"|"keys --config") wanted="files" ;;
    "prompt --session"|"chat --session") wanted="session" ;;
    "prompt --template"|"prompt -t") wanted="template" ;;
    "prompt --option"|"prompt -o"|"compare --option"|"compare -o"|"bench --option"|"bench -o"|"batch --option"|"batch -o"|"chat --option"|"chat -o"|"template save --option"|"template save -o") wanted="setting" ;;
    "prompt --events-version"|"compare --events-version"|"replay --events-version") wanted="=v1 v2" ;;
    "prompt --reasoning"|"compare --reasoning"|"replay --reasoning"|"chat --reasoning") wanted="=show hide" ;;
    "prompt --color"|"compare --color"|"replay --color"|"bench --color"|"batch --color"|"models --color"|"providers --color"|"pull --color"|"chat --color"|"history list --color"|"history show --color"|"history search --color"|"history export --color"|"history rm --color"|"history prune --color"|"history path --color"|"history on --color"|"history off --color"|"template list --color"|"template show --color"|"template save --color"|"template edit --color"|"template rm --color"|"template path --color"|"doctor --color"|"config path --color"|"config show --color"|"config check --color"|"config init --color"|"config edit --color"|"config alias --color"|"keys set --color"|"keys list --color"|"keys delete --color"|"schema --color"|"completions --color"|"history --color"|"template --color"|"config --color"|"keys --color") wanted="=auto always never" ;;
    *) wanted= ;;
    esac
}
argument() {
    case "$1 $2" in
    "replay ""0") wanted="files" ;;
    "batch ""0") wanted="files" ;;
    "models ""0") wanted="provider" ;;
    "pull ""0") wanted="files" ;;
    "template show ""0") wanted="template" ;;
    "template save ""0") wanted="template" ;;
    "template edit ""0") wanted="template" ;;
    "template rm ""0") wanted="template" ;;
    "doctor "*) wanted="provider" ;;
    "config alias ""1") wanted="model" ;;
    "keys set ""0") wanted="provider" ;;
    "keys delete ""0") wanted="provider" ;;
    "schema ""0") wanted="=events config" ;;
    "completions ""0") wanted="=bash zsh fish powershell install widget" ;;
    "completions ""1") wanted="=bash zsh fish" ;;
    "history 0") wanted=group ;;
    "template 0") wanted=group ;;
    "config 0") wanted=group ;;
    "keys 0") wanted=group ;;
    "prompt 0") wanted=commands ;;
    "providers "*|"chat "*|"history list "*|"history export "*|"history prune "*|"history path "*|"history on "*|"history off "*|"template list "*|"template path "*|"config path "*|"config show "*|"config check "*|"config init "*|"config edit "*|"keys list "*) wanted=options ;;
    *) wanted= ;;
    esac
}
options() {
    case $1 in
    "prompt") cat <<"_"
--model	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
-m	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
--system	System prompt
-s	System prompt
--file	Text file added to the prompt; - is stdin
-f	Text file added to the prompt; - is stdin
--attach	Image, audio file or PDF; path, URL or -
-a	Image, audio file or PDF; path, URL or -
--continue	Go on with the last conversation
-c	Go on with the last conversation
--session	Go on with the conversation NAME, or begin it
--no-history	Keep this run out of the history
--template	Saved prompt to start from
-t	Saved prompt to start from
--param	What fills {KEY} of the template
-p	What fills {KEY} of the template
--edit	Write the prompt in $VISUAL, $EDITOR or vi
-e	Write the prompt in $VISUAL, $EDITOR or vi
--no-stdin	Leave stdin alone, as in a `while read` loop
--option	Model option; VALUE is TOML, otherwise text
-o	Model option; VALUE is TOML, otherwise text
--temperature	Randomness, 0 for the most likely token
--max-tokens	Most tokens of the answer
--top-p	Nucleus sampling mass, 0 to 1
--stop	Sequence that ends the answer
--seed	For repeatable sampling
--schema	Answer as JSON: schema, file or \'name, age int\'
--separator	TEXT after every chunk; \\n \\t \\0 are escapes
-S	TEXT after every chunk; \\n \\t \\0 are escapes
--no-newline	Add no final newline
-n	Add no final newline
--extract	Print only the first fenced code block\'s content
-x	Print only the first fenced code block\'s content
--extract-last	Print only the last fenced code block\'s content
--copy	Also put what is printed into the clipboard
--events	JSON Lines of events on standard output
--events-version	Form of the events; implies --events
--steps	A chain\'s own steps too (adapter runnable)
--json	One JSON object at the end
--reasoning	Thinking text on standard error
--stats	One line on stderr: TTFT, tokens/s, tokens
--md	Live Markdown, the default on a terminal
--no-md	Live Markdown, the default on a terminal
--raw	Send control characters to the terminal
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--sync	Which engine carries the stream; same output
--async	Which engine carries the stream; same output
--stream	Stream, or ask for the answer whole
--no-stream	Stream, or ask for the answer whole
--fallback	Model to ask when this one fails before a token
--retries	Attempts after the first
--timeout-connect	Seconds for name, TCP and TLS; 0 for none
--timeout-first	Seconds to the first token
--timeout-idle	Seconds from one event to the next
--timeout-total	Seconds for the whole run
--config	Configuration file [env: LLMSTREAM_CONFIG]
--show-request	Print the request as a curl command, send nothing
--debug	Show tracebacks of errors
--version	Print the version
--help	Print this text
-h	Print this text
--record	Write down what comes, for `llmstream replay`
_
    ;;
    "compare") cat <<"_"
--system	System prompt
-s	System prompt
--file	Text file added to the prompt; - is stdin
-f	Text file added to the prompt; - is stdin
--attach	Image, audio file or PDF; path, URL or -
-a	Image, audio file or PDF; path, URL or -
--no-stdin	Leave stdin alone, as in a `while read` loop
--option	Model option; VALUE is TOML, otherwise text
-o	Model option; VALUE is TOML, otherwise text
--temperature	Randomness, 0 for the most likely token
--max-tokens	Most tokens of the answer
--top-p	Nucleus sampling mass, 0 to 1
--stop	Sequence that ends the answer
--seed	For repeatable sampling
--schema	Answer as JSON: schema, file or \'name, age int\'
--events	JSON Lines of events on standard output
--events-version	Form of the events; implies --events
--reasoning	Thinking text on standard error
--md	Live Markdown, the default on a terminal
--no-md	Live Markdown, the default on a terminal
--raw	Send control characters to the terminal
--stream	Stream, or ask for the answer whole
--no-stream	Stream, or ask for the answer whole
--retries	Attempts after the first
--timeout-connect	Seconds for name, TCP and TLS; 0 for none
--timeout-first	Seconds to the first token
--timeout-idle	Seconds from one event to the next
--timeout-total	Seconds for the whole run
--model	PROVIDER/MODEL, PROVIDER or an alias; once for each model
-m	PROVIDER/MODEL, PROVIDER or an alias; once for each model
--race	The first to give a token wins, the others are cancelled
--json	One JSON object a model
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "replay") cat <<"_"
--separator	TEXT after every chunk; \\n \\t \\0 are escapes
-S	TEXT after every chunk; \\n \\t \\0 are escapes
--no-newline	Add no final newline
-n	Add no final newline
--extract	Print only the first fenced code block\'s content
-x	Print only the first fenced code block\'s content
--extract-last	Print only the last fenced code block\'s content
--copy	Also put what is printed into the clipboard
--events	JSON Lines of events on standard output
--events-version	Form of the events; implies --events
--json	One JSON object at the end
--reasoning	Thinking text on standard error
--stats	One line on stderr: TTFT, tokens/s, tokens
--md	Live Markdown, the default on a terminal
--no-md	Live Markdown, the default on a terminal
--raw	Send control characters to the terminal
--sync	Which engine carries the stream; same output
--async	Which engine carries the stream; same output
--speed	How many times as fast, or max to wait for nothing (1)
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "bench") cat <<"_"
--system	System prompt
-s	System prompt
--file	Text file added to the prompt; - is stdin
-f	Text file added to the prompt; - is stdin
--attach	Image, audio file or PDF; path, URL or -
-a	Image, audio file or PDF; path, URL or -
--no-stdin	Leave stdin alone, as in a `while read` loop
--option	Model option; VALUE is TOML, otherwise text
-o	Model option; VALUE is TOML, otherwise text
--temperature	Randomness, 0 for the most likely token
--max-tokens	Most tokens of the answer
--top-p	Nucleus sampling mass, 0 to 1
--stop	Sequence that ends the answer
--schema	Answer as JSON: schema, file or \'name, age int\'
--stream	Stream, or ask for the answer whole
--no-stream	Stream, or ask for the answer whole
--timeout-connect	Seconds for name, TCP and TLS; 0 for none
--timeout-first	Seconds to the first token
--timeout-idle	Seconds from one event to the next
--timeout-total	Seconds for the whole run
--model	PROVIDER/MODEL, PROVIDER or an alias; once for each model
-m	PROVIDER/MODEL, PROVIDER or an alias; once for each model
--requests	Requests that are measured, each model (20)
-n	Requests that are measured, each model (20)
--jobs	Requests under way at once (1)
-j	Requests under way at once (1)
--rate	Requests a second instead, sent when due (Poisson arrivals)
--duration	Send no more after so many seconds
--warmup	Requests before those that are measured (1)
--prompt-tokens	Add about N tokens of made-up words to each prompt
--seed	Of arrivals and made-up words; the model\'s is -o seed=N
--slo	Limits for the goodput: ttft=1,itl=0.05 (also e2e, tpot)
--interleave	Ask the models in turn, not one after the other
--json	One JSON object a model, instead of the table
--csv	A CSV row a model, instead of the table
--svg	Also write the table and histograms as a picture
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "batch") cat <<"_"
--model	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
-m	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
--system	System prompt
-s	System prompt
--attach	Image, audio file or PDF; path, URL or -
-a	Image, audio file or PDF; path, URL or -
--option	Model option; VALUE is TOML, otherwise text
-o	Model option; VALUE is TOML, otherwise text
--temperature	Randomness, 0 for the most likely token
--max-tokens	Most tokens of the answer
--top-p	Nucleus sampling mass, 0 to 1
--stop	Sequence that ends the answer
--seed	For repeatable sampling
--schema	Answer as JSON: schema, file or \'name, age int\'
--stream	Stream, or ask for the answer whole
--no-stream	Stream, or ask for the answer whole
--fallback	Model to ask when this one fails before a token
--retries	Attempts after the first
--timeout-connect	Seconds for name, TCP and TLS; 0 for none
--timeout-first	Seconds to the first token
--timeout-idle	Seconds from one event to the next
--timeout-total	Seconds for the whole run
--jobs	Requests at once (16)
-j	Requests at once (16)
--rpm	Requests a minute, spread evenly
--tpm	Tokens a minute, spread evenly
--max-failures	End after N failures
--output	Write each answer to FILE when it ends (synced every 0.5 s); the same command goes on
--fresh	Begin FILE anew
--ordered	Answers in the order of the input
--dry-run	Count what would be asked, send nothing
--deferred	Use the provider\'s batch interface: half the price, within a day
--wait	With --deferred: wait for the end
--ray	Run on a Ray cluster: --ray=ADDRESS, or one on this machine
--ray-address	The same as --ray=ADDRESS
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "models") cat <<"_"
--json	JSON Lines, one object a row
--query	Only names that contain TEXT
-q	Only names that contain TEXT
--refresh	Ignore the cached list and fetch a new one
--verbose	Context, inputs and options, where the provider tells
-v	Context, inputs and options, where the provider tells
--color	Colours: auto, always or never
--quiet	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "providers") cat <<"_"
--json	JSON Lines, one object a row
--all	More columns: adapter, what it can, address
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "pull") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "chat") cat <<"_"
--model	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
-m	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
--system	System prompt
-s	System prompt
--continue	Go on with the last conversation
-c	Go on with the last conversation
--session	Go on with the conversation NAME, or begin it
--no-history	Keep this run out of the history
--option	Model option; VALUE is TOML, otherwise text
-o	Model option; VALUE is TOML, otherwise text
--temperature	Randomness, 0 for the most likely token
--max-tokens	Most tokens of the answer
--top-p	Nucleus sampling mass, 0 to 1
--stop	Sequence that ends the answer
--seed	For repeatable sampling
--schema	Answer as JSON: schema, file or \'name, age int\'
--reasoning	Thinking text on standard error
--md	Live Markdown, the default on a terminal
--no-md	Live Markdown, the default on a terminal
--raw	Send control characters to the terminal
--fallback	Model to ask when this one fails before a token
--retries	Attempts after the first
--timeout-connect	Seconds for name, TCP and TLS; 0 for none
--timeout-first	Seconds to the first token
--timeout-idle	Seconds from one event to the next
--timeout-total	Seconds for the whole run
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history list") cat <<"_"
--json	JSON Lines, one object a run
--number	How many runs at most, the newest first (20)
-n	How many runs at most, the newest first (20)
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history show") cat <<"_"
--json	JSON Lines, one object a run
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history search") cat <<"_"
--json	JSON Lines, one object a run
--number	How many runs at most, the newest first (20)
-n	How many runs at most, the newest first (20)
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history export") cat <<"_"
--since	Only runs of this day or later
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history rm") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history prune") cat <<"_"
--older	Remove runs older than this: 90d, 12h, 2w
--keep	Keep the N newest runs
--all	Remove all runs
--yes	Don\'t ask
-y	Don\'t ask
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history path") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history on") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history off") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template list") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template show") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template save") cat <<"_"
--model	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
-m	PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]
--system	System prompt
-s	System prompt
--param	What fills {KEY} of the template
-p	What fills {KEY} of the template
--option	Model option; VALUE is TOML, otherwise text
-o	Model option; VALUE is TOML, otherwise text
--temperature	Randomness, 0 for the most likely token
--max-tokens	Most tokens of the answer
--top-p	Nucleus sampling mass, 0 to 1
--stop	Sequence that ends the answer
--seed	For repeatable sampling
--schema	Answer as JSON: schema, file or \'name, age int\'
--extract	Print only the first fenced code block\'s content
-x	Print only the first fenced code block\'s content
--extract-last	Print only the last fenced code block\'s content
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template edit") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template rm") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template path") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "doctor") cat <<"_"
--json	One JSON object with all checks
--offline	Make no connection
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config path") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config show") cat <<"_"
--origin	Say where each value came from
--model	Only this model\'s provider
-m	Only this model\'s provider
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config check") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config init") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config edit") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config alias") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "keys set") cat <<"_"
--file	In a file that only you can read, without a keyring
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "keys list") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "keys delete") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "schema") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "completions") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "history") cat <<"_"
--json	JSON Lines, one object a run
--number	How many runs at most, the newest first (20)
-n	How many runs at most, the newest first (20)
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "template") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "config") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    "keys") cat <<"_"
--color	Colours: auto, always or never
--quiet	Errors only on standard error
-q	Errors only on standard error
--config	Configuration file [env: LLMSTREAM_CONFIG]
--debug	Show tracebacks of errors
_
    ;;
    esac
}
commands() { cat <<"_"
prompt	The default command, by its name
compare	Ask several models at once
replay	Play a recording again
bench	Measure models under load
batch	Ask the prompts of a file, many at once
models	List the models of a provider, or of all
providers	List the providers, and whether their keys are set
pull	Fetch a model to run in this process
chat	Talk with a model, line by line
history	The runs that were kept: list, search, export
template	Save prompts and use them again
doctor	Say what is wrong here, and what to do
config	Show, check, make and edit the configuration
keys	Keep API keys in the system\'s keyring
schema	Print the JSON Schema of events or configuration
completions	Print a shell\'s completion script, or install it
_
}
group() {
    case $1 in
    "history") cat <<"_"
list	List the runs that were kept
show	Show one run whole: the last, or that whose id begins so
search	Find runs by words of the prompt or the answer
export	Write all runs as JSON Lines
rm	Remove runs
prune	Remove old runs, all but the newest, or all
path	Print the path of the history\'s file
on	Keep runs from now on
off	Keep no more runs; what was kept stays
_
    ;;
    "template") cat <<"_"
list	List the saved prompts
show	Print a saved prompt\'s file
save	Save a prompt with the options of a run
edit	Open a saved prompt in the editor, then check it
rm	Remove a saved prompt
path	Print the folder of the saved prompts
_
    ;;
    "config") cat <<"_"
path	Print the configuration file\'s path
show	Print the settings in effect; keys are masked
check	Check the configuration file and list its problems
init	Write a commented configuration file to begin with
edit	Open the configuration file in $VISUAL or $EDITOR, then check it
alias	Give a model a short name
_
    ;;
    "keys") cat <<"_"
set	Store a provider\'s key; typed at a prompt or read from standard input, never an argument
list	List the providers that have a stored key
delete	Delete a provider\'s stored key
_
    ;;
    esac
}

command=prompt wanted= asking= place=0 started=
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
setting) printf \'%s=\\n\' temperature max_tokens top_p top_k stop seed frequency_penalty presence_penalty reasoning_effort tools tool_choice schema ;;
files) echo :files ;;
=*) printf \'%s\\n\' ${wanted#=} ;;
esac | while IFS= read -r line; do
    case $line in "$current"* | :files) printf \'%s\\n\' "$line" ;; esac
done
'
function __llmstream_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l before (string match -r '^--[^=]+=' -- $current)
    for line in (sh -c $__llmstream_program llmstream $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            set -l path (string replace -r '^--[^=]+=' '' -- $current)
            __fish_complete_path "$path" | string replace -r '^' -- "$before"
        else
            printf '%s\n' "$before$line"
        end
    end
end
complete -c llmstream -f -a '(__llmstream_complete)'
