"""Nodes of the user's own: their files are tried in a process of its own before this one takes them in."""
