"""A small patch for every node kind, which plays it: what goes in, the node, and what makes it heard or seen.

`help_patch` makes it from the spec; `recipes` says what the spec does not. Nothing of the node is run for it.
"""

from nodegraph.core.helppatch.making import HelpPatch, help_patch

__all__ = ["HelpPatch", "help_patch"]
