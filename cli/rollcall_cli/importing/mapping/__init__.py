"""Map the columns or JSON values of any file to the fields of records, as a TOML file says."""
