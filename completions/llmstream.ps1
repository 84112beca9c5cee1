# PowerShell completion for llmstream; made by `llmstream completions powershell`, don't edit
Register-ArgumentCompleter -Native -CommandName llmstream -ScriptBlock {
    param($word, $ast, $position)
    $providers = 'local/ local-completions/ openai/ openai-responses/ openai-completions/ anthropic/ gemini/ azure/ vertex/ bedrock/ mistral/ cohere/ groq/ deepseek/ xai/ openrouter/ together/ fireworks/ perplexity/ cerebras/ sambanova/ nvidia/ huggingface/ moonshot/ zai/ minimax/ qwen/ nebius/ deepinfra/ hyperbolic/ novita/ ai21/ cloudflare/ ollama/ lmstudio/ llamacpp/ vllm/ sglang/ litellm/'
    $commands = @{
        '' = 'prompt models providers pull config keys schema completions --model -m --system -s --file -f --attach -a --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --separator -S --no-newline -n --events --events-version --steps --json --reasoning --stats --md --no-md --raw --color --quiet -q --sync --async --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help -h'
        'prompt' = '--model -m --system -s --file -f --attach -a --no-stdin --option -o --temperature --max-tokens --top-p --stop --seed --schema --separator -S --no-newline -n --events --events-version --steps --json --reasoning --stats --md --no-md --raw --color --quiet -q --sync --async --stream --no-stream --fallback --retries --timeout-connect --timeout-first --timeout-idle --timeout-total --config --show-request --debug --version --help -h'
        'models' = '--json --query -q --refresh --verbose -v --color --quiet --config --debug'
        'providers' = '--json --all --color --quiet -q --config --debug'
        'pull' = '--color --quiet -q --config --debug'
        'config' = 'path show check init edit alias --color --quiet -q --config --debug --origin --model -m'
        'keys' = 'set list delete --file --color --quiet -q --config --debug'
        'schema' = 'events config --color --quiet -q --config --debug'
        'completions' = 'bash zsh fish powershell --color --quiet -q --config --debug'
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
