"""The talk's network for logos: trained on crops, run over whole pictures as a convolution."""
