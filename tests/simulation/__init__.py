"""A deterministic simulation of a deployment under every fault: one seed, one schedule."""
