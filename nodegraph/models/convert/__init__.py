"""From checkpoints as others publish them to ONNX: networks are drawn here, numbers read without running anything.

It needs the package `onnx`, and goes on in a process of its own (`models.making`).
"""
