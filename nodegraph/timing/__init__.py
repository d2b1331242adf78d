"""Time between the patch and the world: when a frame sounds, whose tempo the patch follows, and who follows it."""
