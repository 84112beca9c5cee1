"""One file per dialect: a prompt becomes a request, wire messages become events; no I/O."""
