"""The published request and response formats, one module or package per product."""
