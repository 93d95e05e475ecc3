"""Writing: records become facts, the stream becomes pages and rollups, tokens become organisations."""
