"""The engine: compile a graph to a schedule, run it natively, drive devices and workers."""
