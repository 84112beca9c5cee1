"""Measure models: put load on them, compute figures, and generate prompts."""
