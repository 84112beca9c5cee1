# PowerShell completion for llmstream; made by `llmstream completions powershell`, don't edit
Register-ArgumentCompleter -Native -CommandName llmstream -ScriptBlock {
    param($word, $ast, $position)
    $providers = 'local/ local-completions/ openai/ openai-responses/ openai-completions/ anthropic/ gemini/ azure/ vertex/ bedrock/ mistral/ cohere/ groq/ deepseek/ xai/ openrouter/ together/ fireworks/ perplexity/ cerebras/ sambanova/ nvidia/ huggingface/ moonshot/ zai/ minimax/ qwen/ nebius/ deepinfra/ hyperbolic/ novita/ ai21/ cloudflare/ ollama/ lmstudio/ llamacpp/ vllm/ sglang/ litellm/'
    $commands = @{
        '' = 'prompt compare replay bench batch models providers pull chat history template doctor config keys schema completions --model -m --system -s --file -f --attach -a --continue -c --session --no-history --template -t --param -p --edit -e --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --separator -S --no-newline -n --extract -x --extract-last --copy --events --events-version --steps --json --reasoning --stats --md --no-md --raw --color --quiet -q --sync --async --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help -h --record'
        'prompt' = '--model -m --system -s --file -f --attach -a --continue -c --session --no-history --template -t --param -p --edit -e --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --separator -S --no-newline -n --extract -x --extract-last --copy --events --events-version --steps --json --reasoning --stats --md --no-md --raw --color --quiet -q --sync --async --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help -h --record'
        'compare' = '--system -s --file -f --attach -a --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --events --events-version --reasoning --md --no-md --raw --stream --no-stream --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --model -m --race --json --color --quiet -q --config --debug'
        'replay' = '--separator -S --no-newline -n --extract -x --extract-last --copy --events --events-version --json --reasoning --stats --md --no-md --raw --sync --async --speed --color --quiet -q --config --debug'
        'bench' = '--system -s --file -f --attach -a --no-stdin --option -o --temperature --max-tokens --top-p --stop --schema --stream --no-stream --timeout-connect --timeout-first --timeout-idle --timeout-total --model -m --requests -n --jobs -j --rate --duration --warmup --prompt-tokens --seed --slo --interleave --json --csv --svg --color --quiet -q --config --debug'
        'batch' = '--model -m --system -s --attach -a --option -o --temperature --max-tokens --top-p --stop --seed --schema --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --jobs -j --rpm --tpm --max-failures --output --fresh --ordered --dry-run --deferred --wait --ray --ray-address --color --quiet -q --config --debug'
        'models' = '--json --query -q --refresh --verbose -v --color --quiet --config --debug'
        'providers' = '--json --all --color --quiet -q --config --debug'
        'pull' = '--color --quiet -q --config --debug'
        'chat' = '--model -m --system -s --continue -c --session --no-history --option -o --temperature --max-tokens --top-p --stop --seed --schema --reasoning --md --no-md --raw --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --color --quiet -q --config --debug'
        'history' = 'list show search export rm prune path on off --json --number -n --color --quiet -q --config --debug --since --older --keep --all --yes -y'
        'template' = 'list show save edit rm path --color --quiet -q --config --debug --model -m --system -s --param -p --option -o --temperature --max-tokens --top-p --stop --seed --schema --extract -x --extract-last'
        'doctor' = '--json --offline --color --quiet -q --config --debug'
        'config' = 'path show check init edit alias --color --quiet -q --config --debug --origin --model -m'
        'keys' = 'set list delete --file --color --quiet -q --config --debug'
        'schema' = 'events config --color --quiet -q --config --debug'
        'completions' = 'bash zsh fish powershell widget --color --quiet -q --config --debug'
    }
    $values = @{
        '--events-version' = 'v1 v2'
        '--reasoning' = 'show hide'
        '--color' = 'auto always never'
        '--fallback' = $providers
        '--model' = $providers
        '-m' = $providers
    }
    $words = @($ast.CommandElements | ForEach-Object { "$_" })
    if ($words -contains '--') { return }
    $done = if ($word) { $words.Count - 1 } else { $words.Count }
    $previous = $words[$done - 1]
    $command = if ($done -gt 1 -and $commands.ContainsKey($words[1])) { $words[1] } else { '' }
    $list = if ($values.ContainsKey($previous)) { $values[$previous] } else { $commands[$command] }
    $list -split ' ' | Where-Object { $_ -like "$word*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
