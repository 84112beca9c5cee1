"""Measuring: load on models, the figures that come of it, and the prompts that are made up for it."""
