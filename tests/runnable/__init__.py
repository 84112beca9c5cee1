"""Tests of the library, with the little server that other floors' tests use too."""
