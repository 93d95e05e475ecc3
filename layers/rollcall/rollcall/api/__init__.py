"""The HTTP edge: requests parsed strictly, tenants guarded, errors in the dialect of the route."""
