"""Compares facts, pages and rollups during writes, and repairs drift."""
