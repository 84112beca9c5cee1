"""Effects carried out on sockets and processes; nothing above opens one."""
