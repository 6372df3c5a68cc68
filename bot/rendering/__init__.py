"""Answers and runs as Discord Markdown: pure functions on values, without Discord's types."""
