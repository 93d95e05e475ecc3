"""The OpenAPI document: routes from the template, schemas from the types that parse and answer."""
