"""Origins of web pages, few enough that two are often the same or alike."""

from __future__ import annotations

from hypothesis import strategies as st

_hosts = st.sampled_from(
    ["a.example", "b.example", "a.example.b.example", "localhost", "127.0.0.1", "[2001:db8::1]"]
)
origins = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["https", "http"]),
    _hosts,
    st.sampled_from(["", "", ":8443"]),
)
