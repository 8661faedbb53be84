"""Files in and out: photos and video."""
