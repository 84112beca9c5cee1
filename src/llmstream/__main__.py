"""`python -m llmstream`."""

from llmstream.cli import main

main()
