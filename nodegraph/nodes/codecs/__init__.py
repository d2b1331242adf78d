"""Codecs whose two halves are neural networks: sound as a few numbers, and back."""
