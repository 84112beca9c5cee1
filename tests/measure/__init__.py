"""Load, figures, and how they are shown."""
