"""Expression from sound, and the blinks and gaze that sound does not decide."""
