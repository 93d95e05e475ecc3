"""Published shapes in, published shapes out, nothing else: one module a product."""
