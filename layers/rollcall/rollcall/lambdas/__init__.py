"""Adapters for Lambda events that are not HTTP: authorizer, stream and schedule."""
