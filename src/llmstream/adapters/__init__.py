"""One file a dialect: a prompt becomes a request, wire messages become events; pure, no I/O."""
