"""Map the values of any document or row to the fields of records, as a TOML file says."""
