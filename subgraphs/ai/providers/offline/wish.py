"""Parsing of a parent's wish: something to do, a topic, or words to quote."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_LENGTH = 110
_STORY_OF = re.compile(
    r"^(?:please\s+)?(?:(?:write|make|tell|create|i want|i would like|we want|we would like)\b[^.]*?\b)?"
    r"(?:a|an|the|some)?\s*(?:\w+\s+)?(?:story|book|tale|adventure)\s+(?:about|of|with|on)\s+(?P<topic>.+)$",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"^(?P<who>.{1,60}?)\s+(?:wants?|wishes|would (?:like|love)|dreams?|hopes?|longs?)\s+"
    r"(?:to\s+(?P<do>.+)|(?:of|for)\s+(?P<thing>.+))$",
    re.IGNORECASE,
)
_TO = re.compile(r"^to\s+(?P<do>.+)$", re.IGNORECASE)
_VERBS = (
    "become|build|catch|climb|cross|discover|explore|feed|find|fly|go|grow|help|hug|learn|meet|plant|play|"
    "ride|rescue|sail|save|see|share|sing|sleep|swim|travel|visit|walk|win"
)
_VERB_FIRST = re.compile(rf"^(?P<do>(?:{_VERBS})\b.+)$", re.IGNORECASE)
_ARTICLE_FIRST = re.compile(r"^(?P<topic>(?:a|an|the|my|her|his|their|two|three)\s+.+)$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?\u2026])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish in one of three forms; exactly one field is set."""

    do: str | None = None
    topic: str | None = None
    words: str | None = None

    @property
    def introduction(self) -> str:
        """The sentence that introduces the wish."""
        if self.do is not None:
            return f"More than anything in the world, {{name}} wished to {self.escaped}."
        if self.topic is not None:
            return f"Awake or asleep, {{name}} dreamed of {self.escaped}."
        return f"In {{name}}'s wishing notebook, underlined twice, stood: “{self.escaped}”"

    @property
    def fulfilment(self) -> str:
        """The sentence in which the wish comes true."""
        if self.do is not None:
            return f"And the wish to {self.escaped}? Here, all at once, it came true."
        if self.topic is not None:
            return f"Here it was, no longer just a dream: {self.escaped}."
        return "And the wish from the notebook? All at once it was as real as rain."

    @property
    def escaped(self) -> str:
        """The wish's words, with braces escaped for a template."""
        text = self.do or self.topic or self.words or ""
        return text.replace("{", "{{").replace("}", "}}")


def read_wish(text: str, name: str) -> Wish:
    """Parse the first sentence of a wish for the child of this name; a long one is cut between words."""
    first = _SENTENCE.split(text.strip(), maxsplit=1)[0].strip()
    sentence = first.rstrip(".!?\u2026 ")
    for pattern in (_STORY_OF, _WANTS, _TO, _VERB_FIRST, _ARTICLE_FIRST):
        if match := pattern.match(sentence):
            found = match.groupdict()
            if do := found.get("do"):
                return Wish(do=_truncate(do))
            topic = (found.get("topic") or found.get("thing") or "").removeprefix(f"{name} ")
            if name not in topic:
                return Wish(topic=_truncate(topic))
    return Wish(words=_truncate(first))


def _truncate(text: str) -> str:
    if len(text) <= _MAX_LENGTH:
        return text
    return text[:_MAX_LENGTH].rsplit(" ", 1)[0].rstrip(",;: ") + "\u2026"
