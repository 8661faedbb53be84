"""Frames from a photo: what a renderer is, and the three that there are."""
