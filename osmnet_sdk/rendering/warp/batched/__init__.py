"""The renderer of `osmnet_sdk.rendering` for batches of frames on any device of torch."""
