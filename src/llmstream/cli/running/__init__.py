"""One run: its plan, made from the options, its inputs and its outputs."""
