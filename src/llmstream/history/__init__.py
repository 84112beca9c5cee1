"""What was said to models and what they answered, kept in one SQLite file of the user's."""
