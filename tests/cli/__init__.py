"""The command as its users meet it: a process with streams and an exit status."""
