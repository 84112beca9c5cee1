"""What providers and models this machine has heard of."""
