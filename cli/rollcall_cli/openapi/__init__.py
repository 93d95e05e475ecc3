"""The OpenAPI document: routes of the template, and schemas of requests and answers."""
