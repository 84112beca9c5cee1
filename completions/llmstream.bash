# bash completion for llmstream; made by `llmstream completions bash`, don't edit
_llmstream_models() {
    local folder="${XDG_CACHE_HOME:-$HOME/.cache}/llmstream/models" file name
    printf '%s\n' local/ local-completions/ openai/ openai-responses/ openai-completions/ anthropic/ gemini/ azure/ vertex/ bedrock/ mistral/ cohere/ groq/ deepseek/ xai/ openrouter/ together/ fireworks/ perplexity/ cerebras/ sambanova/ nvidia/ huggingface/ moonshot/ zai/ minimax/ qwen/ nebius/ deepinfra/ hyperbolic/ novita/ ai21/ cloudflare/ ollama/ lmstudio/ llamacpp/ vllm/ sglang/ litellm/
    for file in "$folder"/*.json; do
        [ -r "$file" ] || continue
        name="${file##*/}"
        sed 's/.*"models": *\[//' "$file" 2>/dev/null | grep -o '"[A-Za-z0-9._:/@+-]*"' |
            sed -e 's/"//g' -e "s|^|${name%.json}/|"
    done
}
_llmstream() {
    local line="${COMP_LINE:0:COMP_POINT}" cur prev value command="" list word i strip=""
    cur="${line##*[[:space:]]}"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        [ "$word" = "--" ] && return
        [ $i -eq 1 ] && command="$word"
    done
    prev="${COMP_WORDS[COMP_CWORD - 1]}"
    value="$cur"
    case "$cur" in --*=*) prev="${cur%%=*}" value="${cur#*=}" strip="$prev=" ;; esac
    case "$prev" in
        --fallback|--model|-m) COMPREPLY=($(compgen -W "$(_llmstream_models)" -- "$value")) ;;
        --attach|--config|--file|--schema|-a|-f) COMPREPLY=($(compgen -f -- "$value")) ;;
        --events-version) COMPREPLY=($(compgen -W "v1 v2" -- "$value")) ;;
        --reasoning) COMPREPLY=($(compgen -W "show hide" -- "$value")) ;;
        --color) COMPREPLY=($(compgen -W "auto always never" -- "$value")) ;;
        --duration|--jobs|--keep|--max-failures|--max-tokens|--number|--older|--option|--output|--param|--prompt-tokens|--query|--rate|--ray-address|--record|--requests|--retries|--rpm|--seed|--separator|--session|--since|--slo|--speed|--stop|--svg|--system|--temperature|--template|--timeout-connect|--timeout-first|--timeout-idle|--timeout-total|--top-p|--tpm|--warmup|-S|-j|-n|-o|-p|-q|-s|-t) return ;;
        *)
            case "$command" in
        prompt) list="--model -m --system -s --file -f --attach -a --continue -c --session --no-history --template -t --param -p --edit -e --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --separator -S --no-newline -n --extract -x --extract-last --copy --events --events-version --steps --json --reasoning --stats --md --no-md --raw --color --quiet -q --sync --async --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help -h --record" ;;
        compare) list="--system -s --file -f --attach -a --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --events --events-version --reasoning --md --no-md --raw --stream --no-stream --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --model -m --race --json --color --quiet -q --config --debug" ;;
        replay) list="--separator -S --no-newline -n --extract -x --extract-last --copy --events --events-version --json --reasoning --stats --md --no-md --raw --sync --async --speed --color --quiet -q --config --debug" ;;
        bench) list="--system -s --file -f --attach -a --no-stdin --option -o --temperature --max-tokens --top-p --stop --schema --stream --no-stream --timeout-connect --timeout-first --timeout-idle --timeout-total --model -m --requests -n --jobs -j --rate --duration --warmup --prompt-tokens --seed --slo --interleave --json --csv --svg --color --quiet -q --config --debug" ;;
        batch) list="--model -m --system -s --attach -a --option -o --temperature --max-tokens --top-p --stop --seed --schema --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --jobs -j --rpm --tpm --max-failures --output --fresh --ordered --dry-run --deferred --wait --ray --ray-address --color --quiet -q --config --debug" ;;
        models) list="--json --query -q --refresh --verbose -v --color --quiet --config --debug" ;;
        providers) list="--json --all --color --quiet -q --config --debug" ;;
        pull) list="--color --quiet -q --config --debug" ;;
        chat) list="--model -m --system -s --continue -c --session --no-history --option -o --temperature --max-tokens --top-p --stop --seed --schema --reasoning --md --no-md --raw --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --color --quiet -q --config --debug" ;;
        history) list="list show search export rm prune path on off --json --number -n --color --quiet -q --config --debug --since --older --keep --all --yes -y" ;;
        template) list="list show save edit rm path --color --quiet -q --config --debug --model -m --system -s --param -p --option -o --temperature --max-tokens --top-p --stop --seed --schema --extract -x --extract-last" ;;
        doctor) list="--json --offline --color --quiet -q --config --debug" ;;
        config) list="path show check init edit alias --color --quiet -q --config --debug --origin --model -m" ;;
        keys) list="set list delete --file --color --quiet -q --config --debug" ;;
        schema) list="events config --color --quiet -q --config --debug" ;;
        completions) list="bash zsh fish powershell widget --color --quiet -q --config --debug" ;;
        *) list="prompt compare replay bench batch models providers pull chat history template doctor config keys schema completions --model -m --system -s --file -f --attach -a --continue -c --session --no-history --template -t --param -p --edit -e --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --separator -S --no-newline -n --extract -x --extract-last --copy --events --events-version --steps --json --reasoning --stats --md --no-md --raw --color --quiet -q --sync --async --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help -h --record" ;;
            esac
            if [ "$command" = models ] && [ "${cur#-}" = "$cur" ]; then
                list="local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm"
            elif [ "$command" = pull ] && [ "${cur#-}" = "$cur" ]; then
                COMPREPLY=($(compgen -f -- "$cur"))
                return
            fi
            COMPREPLY=($(compgen -W "$list" -- "$cur"))
            ;;
    esac
    # readline replaces only what stands behind the last : or =
    case "$value" in *:*) strip="${value%"${value##*:}"}" ;; *) strip="" ;; esac
    [ -n "$strip" ] && COMPREPLY=("${COMPREPLY[@]#"$strip"}")
    case "${COMPREPLY[0]-}" in */) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _llmstream llmstream
