"""Real servers, as they are installed, between us and an answer: the gate for every change of the transport."""
