"""Comparing facts, pages and rollups while writes go on, and repairing drift."""
