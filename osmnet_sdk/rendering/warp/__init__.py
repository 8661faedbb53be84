"""The photo warped by the head's geometry, frame by frame on the CPU."""
