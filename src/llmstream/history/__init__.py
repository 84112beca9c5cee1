"""The history of prompts and answers, in one SQLite file per user."""
