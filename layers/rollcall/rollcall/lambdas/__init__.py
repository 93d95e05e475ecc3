"""What Lambda sends and expects apart from HTTP: authorizer, stream and schedule."""
