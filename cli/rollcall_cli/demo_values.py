"""The demo's invented company: names, and the weights of its random calls."""

from __future__ import annotations

SPACES = {"support": "Customer support", "sales": "Sales", "collections": "Collections"}
CAMPAIGNS = (
    ("reception", "inbound", "Reception desk"),
    ("helpline", "inbound", "Product helpline"),
    ("renewals", "outbound", "Policy renewals"),
    ("win-back", "outbound", "Win back lapsed customers"),
    ("reminders", "outbound", "Payment reminders"),
)
SPACE_OF_CAMPAIGN = {
    "reception": "support",
    "helpline": "support",
    "renewals": "sales",
    "win-back": "sales",
    "reminders": "collections",
}
TEMPLATES = {
    "reception": "receptionist-v3",
    "helpline": "troubleshooter-v2",
    "renewals": "renewal-v5",
    "win-back": "win-back-v1",
    "reminders": "reminder-v4",
}
MERCHANTS = {
    "northwind": "acme-telecom",
    "contoso": "acme-telecom",
    "fabrikam": "brightline",
    "tailspin": "brightline",
    "adventure-works": "brightline",
    "litware": "direct",
}
PROVIDERS = {"twilio": (6, 0.0140), "plivo": (3, 0.0115), "telnyx": (2, 0.0098)}
LABELS = {
    "hot-lead": ("Hot lead", "#e4572e"),
    "complaint": ("Complaint", "#c3423f"),
    "vip": ("VIP", "#f2c14e"),
    "billing": ("Billing", "#4d9de0"),
    "callback": ("Wants a callback", "#7768ae"),
}
WORKSPACES = {"atelier": "Atelier", "field-team": "Field team"}
ROOMS = (
    ("standup", "Daily stand-up"),
    ("demo-room", "Product demo"),
    ("interviews", None),
    ("support-desk", "Support desk"),
    ("board", "Board room"),
    ("quiet-corner", None),
)
PAGES = (
    ("Intro call", "intro-call"),
    ("Product demo, 30 minutes", "demo-30"),
    ("Office hours", "office-hours"),
    ("Technical deep dive", "deep-dive"),
    ("Interview", "interview"),
    ("Renewal talk", "renewal-talk"),
)

# Calls per hour of the day (UTC) and per weekday (Monday first), as weights.
HOURS = (1, 1, 1, 1, 1, 2, 5, 12, 26, 38, 42, 40, 30, 34, 40, 41, 36, 28, 18, 11, 7, 4, 2, 1)
WEEKDAYS = (1.0, 1.08, 1.05, 1.0, 0.9, 0.34, 0.22)

STATUSES = {
    "inbound": {"completed": 86, "no_answer": 6, "failed": 3, "canceled": 4, "busy": 1},
    "outbound": {"completed": 52, "no_answer": 30, "busy": 9, "failed": 6, "canceled": 3},
}
DISPOSITIONS: dict[str, dict[str | None, float]] = {
    "completed": {
        "successful": 46,
        "unsuccessful": 18,
        "need_follow_up": 13,
        "completed": 11,
        "voicemail_left": 8,
        "wrong_number": 4,
    },
    "no_answer": {"need_retry": 80, "unreachable": 20},
    "busy": {"need_retry": 1},
    "failed": {"error": 70, "wrong_country_code": 12, "unreachable": 18},
    "canceled": {None: 1},
}
OUTCOMES: dict[str | None, dict[str | None, float]] = {
    "successful": {"meeting_booked": 4, "order_placed": 3, "issue_resolved": 5, "renewed": 3},
    "unsuccessful": {"not_interested": 6, "price_too_high": 3, "uses_competitor": 2, None: 1},
    "need_follow_up": {"callback_requested": 4, "information_sent": 3},
    "completed": {"information_given": 3, None: 1},
}
NO_OUTCOME: dict[str | None, float] = {None: 1}
# Sentiment: the two parameters of a beta distribution.
SENTIMENTS: dict[str | None, tuple[float, float]] = {
    "successful": (7, 2.2),
    "need_follow_up": (4.5, 3.5),
    "completed": (4.5, 3.5),
    "unsuccessful": (3, 4.5),
    "wrong_number": (2, 5),
}
LANGUAGES = {"en": 60, "de": 14, "es": 14, "fr": 8, "pt": 4}
LAST_ATTEMPT = 6
