"""Queries: from what is asked to exact measures, out of rollups and ledger pages."""
