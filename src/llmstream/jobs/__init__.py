"""Many prompts as one job: what is asked, how fast, where answers go, and what is asked again."""
