"""A patch being played and edited by several at once: one object, one protocol, one way for each thing."""
