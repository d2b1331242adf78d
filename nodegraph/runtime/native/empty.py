"""A kernel that does nothing, to measure what calling one costs."""


def nothing(state: int, ins: int, outs: int, frames: int) -> None:
    """Return at once."""
    pass
