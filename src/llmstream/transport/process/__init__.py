"""Commands as models: the standard output of a child process is the answer."""
