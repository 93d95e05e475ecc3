"""DynamoDB and S3 behind the ports that the use cases declare. The only package that imports botocore."""
