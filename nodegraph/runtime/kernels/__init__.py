"""Kernels: a small part of Python made into native code, without a runtime below it."""
