"""The fixtures of every engine."""

from tests.support.engines import client, client_of, endpoint_of

__all__ = ["client", "client_of", "endpoint_of"]
