"""One report per dialect: what it measures, not its format on the wire."""
