"""One run as a generator of effects and events: makes all decisions, does no I/O, has no clock of its own."""
