"""Queries: exact measures of selected records, from rollups and ledger pages."""
