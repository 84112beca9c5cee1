"""One call as a generator of effects and events: every decision, no I/O, no clock of its own."""
