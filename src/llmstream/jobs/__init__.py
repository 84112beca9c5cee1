"""Many prompts as one job: input, rate limits, results and resuming."""
