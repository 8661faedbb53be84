"""Training of the Audio-Motion Mapping Network."""
