"""The paper's Video Generator: one photo and a window of driving features to a frame."""
