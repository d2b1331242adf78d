"""Life without a screen: an engine that is kept playing, that comes back as it was, and that says how it is."""
