"""`LLM.invoke` in a loop.  Arguments: base URL, number of tokens, number of answers."""

import sys

from llmstream import LLM

llm = LLM("openai-completions/m", base_url=sys.argv[1], api_key="none", max_tokens=int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    print(llm.invoke("hi"), end="", flush=True)
