"""One report per dialect: what it measures, not how it is written on the wire."""
