"""The command line: its table of options, and what is made from it."""
