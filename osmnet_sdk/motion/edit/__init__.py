"""What an animator asks of sampled motion: pins, holds, a reference, a retake."""
