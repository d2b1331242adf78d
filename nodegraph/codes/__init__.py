"""Codes on their way: in packets between machines, and in files."""
