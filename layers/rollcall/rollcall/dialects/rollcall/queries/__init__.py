"""Rollcall's own query language: bodies in, answers out, and the faults of what is refused."""

from rollcall.dialects.rollcall.queries.answer import answer_body, answer_csv, next_cursor
from rollcall.dialects.rollcall.queries.request import parse_query

__all__ = ["answer_body", "answer_csv", "next_cursor", "parse_query"]
