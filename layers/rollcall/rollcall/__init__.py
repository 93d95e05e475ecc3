"""Rollcall: exact, fresh call analytics on AWS Lambda and DynamoDB."""

__version__ = "0.1.0"
