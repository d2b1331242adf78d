"""OSC: a patch played and listened to by other programs, and nodes that talk to them."""
