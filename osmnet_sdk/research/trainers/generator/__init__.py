"""Training of the paper's Video Generator."""
