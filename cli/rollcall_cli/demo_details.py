"""What was said in some of the demo's calls: invented, as are the people and their numbers."""

from __future__ import annotations

from typing import Any

# Every so many calls, so that a page of them has a few.
_EVERY = 8
_SECONDS_OF_A_TURN = 6
# Numbers that are reserved for stories.
_OURS = "+15550100"

# By outcome: the summary, and what the agent and the other side say in turn.
_SAID: dict[str, tuple[str, tuple[str, ...]]] = {
    "meeting_booked": (
        "Mira Alvestad wants to see the product with her team and booked a demonstration.",
        (
            "Hello, this is the assistant of Northwind. How can I help?",
            "Hi, Mira Alvestad here. We would like to see how the reports work.",
            "Gladly. Would Thursday at ten suit you?",
            "Thursday is fine, there will be four of us.",
            "It is booked, and the invitation is on its way.",
        ),
    ),
    "issue_resolved": (
        "An invoice had been sent twice; the second one was withdrawn.",
        (
            "Hello, how can I help?",
            "I have received the same invoice two times.",
            "I see both. The second one is withdrawn, you owe nothing for it.",
            "That was quick, thank you.",
        ),
    ),
    "callback_requested": (
        "Teo Brandvold was driving and asked for a call tomorrow morning.",
        (
            "Hello, is this a good moment to talk about your contract?",
            "Not really, I am driving. Could you call tomorrow before ten?",
            "Of course. Have a safe drive.",
        ),
    ),
    "price_too_high": (
        "The price is above what the caller has planned for this year.",
        (
            "Hello, did you have time to read the offer?",
            "I did. It is more than we have planned for this year.",
            "I understand. May I call again in spring?",
            "Please do.",
        ),
    ),
}


def detail_of(call: dict[str, Any], number: int) -> dict[str, Any] | None:
    """The detail of the call of that number; None for most."""
    said = _SAID.get(call.get("outcome", ""))
    if said is None or number % _EVERY:
        return None
    summary, texts = said
    theirs = f"+155501{number % 99 + 1:02}"
    numbers = (theirs, _OURS) if call["direction"] == "inbound" else (_OURS, theirs)
    return {
        "summary": summary,
        "transcript": [
            {
                "role": "user" if place % 2 else "agent",
                "text": text,
                "at_seconds": place * _SECONDS_OF_A_TURN,
            }
            for place, text in enumerate(texts)
        ],
        "links": [{"name": "CRM", "url": f"https://crm.example/calls/{call['id']}"}],
        "from_number": numbers[0],
        "to_number": numbers[1],
    }
