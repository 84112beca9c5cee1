"""Effects carried out on sockets and processes; the only floor that knows httpx."""
