"""One run: options to a plan, its inputs, its outputs."""
