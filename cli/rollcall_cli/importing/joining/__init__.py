"""Several rows of a file make one call."""
