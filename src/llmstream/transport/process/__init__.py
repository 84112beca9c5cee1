"""Child processes as models: a command's output is the answer."""
