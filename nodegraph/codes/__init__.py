"""Codes of codecs on their way: in packets over a network, through a buffer that waits for them, and in files."""
