"""The peer: httpx the obvious way.  Arguments: base URL, number of tokens, number of answers (1)."""

import json
import sys

# beside click and rich, httpx would load its own command line too: 45 ms that a script of its own has not
sys.modules["click"] = None  # type: ignore[assignment]

import httpx  # noqa: E402

body = {"model": "m", "prompt": "hi", "max_tokens": int(sys.argv[2]), "stream": True}
with httpx.Client(timeout=None) as client:
    for _ in range(int(sys.argv[3]) if sys.argv[3:] else 1):
        with client.stream("POST", sys.argv[1] + "/completions", json=body) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        print(choice["text"], end="", flush=True)
