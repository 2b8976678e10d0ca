"""From a trained checkpoint to a bundle, proven against torch. Needs the extra `export`."""
