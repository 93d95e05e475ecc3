"""What the document says about the operations: one module per dialect.

A module has `TAG`, `ABOUT` (what the tag is for) and `OPERATIONS` (the operations by function), and
optionally `refine`, which changes schemas where the types cannot express a rule.
"""
