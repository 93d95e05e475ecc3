"""Rollcall's own formats."""
