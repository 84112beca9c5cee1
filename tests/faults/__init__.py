"""What goes wrong: servers that are broken, hostile or slow, and processes that are stopped."""
