"""The Python API: patches as objects, rendered or played. Its names are taken from `nodegraph` itself."""
