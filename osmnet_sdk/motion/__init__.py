"""Head motion: the paper's Audio-Motion Mapping Network and the sampler of takes."""
