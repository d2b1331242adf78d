"""From a graph to a schedule: units a channel (plan), like units side by side (packing), addresses (schedule)."""
