"""Expression from sound, and the blinks, gaze and brows that sound does not decide."""
