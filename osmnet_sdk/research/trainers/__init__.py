"""Training of the networks that the bundle carries."""
