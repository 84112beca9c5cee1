"""Tests of many prompts as one job."""
