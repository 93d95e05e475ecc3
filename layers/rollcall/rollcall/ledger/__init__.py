"""The ledger: pages of facts as compressed columns, and the rule that keeps rollups exact.

Pure, except that `apply` reads and writes through a store port.
"""
