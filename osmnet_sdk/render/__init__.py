"""Frames from a photo: geometry-guided warping and compositing."""
