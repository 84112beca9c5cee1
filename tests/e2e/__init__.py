"""From the command line, or the library's door, to a real server and back."""
