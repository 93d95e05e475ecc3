"""The documents of `POST /v1/records`: their fields, and what they become."""
