"""Manage hooks, and send them signed samples."""
