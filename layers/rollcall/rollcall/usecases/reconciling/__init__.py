"""The parts of a reconciliation: pages against facts, facts against rows, rollups against rows."""
