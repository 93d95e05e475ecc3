"""The ledger: pages of facts as compressed columns, and the rule that keeps rollups exact.

Pure but for `apply`, which talks to a store port. The only package that imports numpy.
"""
