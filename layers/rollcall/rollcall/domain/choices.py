"""The values of fields that have only some, in the order in which documentation and answers list them."""

from __future__ import annotations

from typing import Final

CALL_STATUSES: Final = (
    "queued",
    "ringing",
    "in_progress",
    "completed",
    "failed",
    "busy",
    "no_answer",
    "canceled",
)
DISPOSITIONS: Final = (
    "need_retry",
    "wrong_country_code",
    "need_follow_up",
    "voicemail_left",
    "successful",
    "unsuccessful",
    "wrong_number",
    "completed",
    "unreachable",
    "error",
)
DIRECTIONS: Final = ("inbound", "outbound")
TASK_STATUSES: Final = ("pending", "running", "completed", "failed", "hold", "partially_completed")
LEAD_STATUSES: Final = ("BACKLOG", "PROCESSING", "RETRY", "FINISHED")
CALL_EVENTS: Final = (
    "take_message",
    "sms_sent",
    "call_transferred",
    "calendar_booked",
    "email_sent",
)
DEFAULT_LABEL_COLOR: Final = "#9e9e9e"
