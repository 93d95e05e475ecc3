"""DynamoDB in memory: deterministic, in this process, microseconds per request.

`dynamodb` holds the tables and answers requests; `client` has the methods of botocore's client over
it, `transport` puts it under a real one. Whatever the emulator does not know it refuses with
NotImplementedError, so nothing passes on it that was never compared with DynamoDB Local
(`tests/storage`).
"""
