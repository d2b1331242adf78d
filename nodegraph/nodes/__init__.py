"""The node library: one file a family."""
