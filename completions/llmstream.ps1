# PowerShell completion for llmstream; made by `llmstream completions powershell`, don't edit
Register-ArgumentCompleter -Native -CommandName llmstream -ScriptBlock {
    param($word, $ast, $position)
    $models = 'local/ local-completions/ openai/ openai-responses/ openai-completions/ anthropic/ gemini/ azure/ vertex/ bedrock/ mistral/ cohere/ groq/ deepseek/ xai/ openrouter/ together/ fireworks/ perplexity/ cerebras/ sambanova/ nvidia/ huggingface/ moonshot/ zai/ minimax/ qwen/ nebius/ deepinfra/ hyperbolic/ novita/ ai21/ cloudflare/ ollama/ lmstudio/ llamacpp/ vllm/ sglang/ litellm/'
    $commands = @{
        'prompt' = '--model --system --file --attach --continue --session --no-history --template --param --edit --no-stdin --option --temperature --max-tokens --top-p --stop --seed --schema --separator --no-newline --extract --extract-last --copy --events --events-version --steps --json --reasoning --stats --md --raw --color --quiet --sync --stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help --record -m -s -f -a -c -t -p -e -o -S -n -x -q -h'
        'compare' = '--system --file --attach --no-stdin --option --temperature --max-tokens --top-p --stop --seed --schema --events --events-version --reasoning --md --raw --stream --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --model --race --json --color --quiet --config --debug -s -f -a -o -m -q'
        'replay' = '--separator --no-newline --extract --extract-last --copy --events --events-version --json --reasoning --stats --md --raw --sync --speed --color --quiet --config --debug -S -n -x -q'
        'bench' = '--system --file --attach --no-stdin --option --temperature --max-tokens --top-p --stop --schema --stream --timeout-connect --timeout-first --timeout-idle --timeout-total --model --requests --jobs --rate --duration --warmup --prompt-tokens --seed --slo --interleave --json --csv --svg --color --quiet --config --debug -s -f -a -o -m -n -j -q'
        'batch' = '--model --system --attach --option --temperature --max-tokens --top-p --stop --seed --schema --stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --jobs --rpm --tpm --max-failures --output --fresh --ordered --dry-run --deferred --wait --ray --ray-address --color --quiet --config --debug -m -s -a -o -j -q'
        'models' = 'local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm --json --query --refresh --verbose --color --quiet --config --debug -q -v'
        'providers' = '--json --all --color --quiet --config --debug -q'
        'pull' = '--color --quiet --config --debug -q'
        'chat' = '--model --system --continue --session --no-history --option --temperature --max-tokens --top-p --stop --seed --schema --reasoning --md --raw --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --color --quiet --config --debug -m -s -c -o -q'
        'history list' = '--json --number --color --quiet --config --debug -n -q'
        'history show' = '--json --color --quiet --config --debug -q'
        'history search' = '--json --number --color --quiet --config --debug -n -q'
        'history export' = '--since --color --quiet --config --debug -q'
        'history rm' = '--color --quiet --config --debug -q'
        'history prune' = '--older --keep --all --yes --color --quiet --config --debug -y -q'
        'history path' = '--color --quiet --config --debug -q'
        'history on' = '--color --quiet --config --debug -q'
        'history off' = '--color --quiet --config --debug -q'
        'template list' = '--color --quiet --config --debug -q'
        'template show' = '--color --quiet --config --debug -q'
        'template save' = '--model --system --param --option --temperature --max-tokens --top-p --stop --seed --schema --extract --extract-last --color --quiet --config --debug -m -s -p -o -x -q'
        'template edit' = '--color --quiet --config --debug -q'
        'template rm' = '--color --quiet --config --debug -q'
        'template path' = '--color --quiet --config --debug -q'
        'doctor' = 'local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm --json --offline --color --quiet --config --debug -q'
        'config path' = '--color --quiet --config --debug -q'
        'config show' = '--origin --model --color --quiet --config --debug -m -q'
        'config check' = '--color --quiet --config --debug -q'
        'config init' = '--color --quiet --config --debug -q'
        'config edit' = '--color --quiet --config --debug -q'
        'config alias' = '--color --quiet --config --debug -q'
        'keys set' = 'local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm --file --color --quiet --config --debug -q'
        'keys list' = '--color --quiet --config --debug -q'
        'keys delete' = 'local local-completions openai openai-responses openai-completions anthropic gemini azure vertex bedrock mistral cohere groq deepseek xai openrouter together fireworks perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic novita ai21 cloudflare ollama lmstudio llamacpp vllm sglang litellm --color --quiet --config --debug -q'
        'schema' = 'events config --color --quiet --config --debug -q'
        'completions' = 'bash zsh fish powershell install widget --color --quiet --config --debug -q'
        'history' = 'list show search export rm prune path on off --color --quiet --config --debug -q'
        'template' = 'list show save edit rm path --color --quiet --config --debug -q'
        'config' = 'path show check init edit alias --color --quiet --config --debug -q'
        'keys' = 'set list delete --color --quiet --config --debug -q'
    }
    $values = @{
        '--events-version' = 'v1 v2'
        '--reasoning' = 'show hide'
        '--color' = 'auto always never'
        '--model' = $models
        '-m' = $models
        '--fallback' = $models
    }
    $words = @($ast.CommandElements | ForEach-Object { "$_" })
    if ($words -contains '--') { return }
    $done = if ($word) { $words.Count - 1 } else { $words.Count }
    $previous = $words[$done - 1]
    $list = 'prompt compare replay bench batch models providers pull chat history template doctor config keys schema completions' + ' ' + $commands['prompt']
    if ($done -gt 1 -and $commands.ContainsKey($words[1])) { $list = $commands[$words[1]] }
    $both = if ($done -gt 2) { $words[1] + ' ' + $words[2] } else { '' }
    if ($commands.ContainsKey($both)) { $list = $commands[$both] }
    if ($values.ContainsKey($previous)) { $list = $values[$previous] }
    $list -split ' ' | Where-Object { $_ -like "$word*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
