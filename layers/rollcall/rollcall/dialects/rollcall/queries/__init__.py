"""Rollcall's own query language: bodies in, answers out, and the faults of what is refused.

Only the modules that parse and answer queries import numpy, so the schema is served without it.
"""
