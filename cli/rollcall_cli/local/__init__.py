"""The service on one machine: gateway, stream pump and database engine, as template.yaml declares."""
