"""Look at what there is to record and what stands in the way; nothing is changed by looking."""
