"""`rollcall query`, `calls` and `explain`: options in, request bodies out, answers as tables."""
