"""Whole experiments in a folder: their choices, what is resolved from them, and what they write."""
