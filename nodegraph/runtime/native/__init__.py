"""The engine's own native code, written in the kernel language and compiled like every kernel."""
