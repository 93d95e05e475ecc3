"""The service on one machine: gateway, stream pump and database engine, made from template.yaml."""
