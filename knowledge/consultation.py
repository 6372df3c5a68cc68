"""A consultation: retrieval for one message and what was said before it, in one bank."""

from collections.abc import Callable, Mapping
from typing import Final

from knowledge.aspect import Aspect
from knowledge.decision import THRESHOLDS, decide
from knowledge.discussion import Asks, AsksOn, Compares, Nothing, View, Wish
from knowledge.lexical import Scores
from knowledge.manner import Manner, manner_of
from knowledge.moves import Likely
from knowledge.outcome import Answered, Compared, Outcome, Refused, Silent
from knowledge.relations import Relations
from knowledge.search import Judged, Search

_NEAREST: Final = 3


class Consultation:
    """Gives views of texts that were judged beforehand, and makes a wish an outcome."""

    def __init__(
        self,
        search: Search,
        judged: Mapping[str, Judged],
        likely: Callable[[str], Likely],
    ) -> None:
        self._search = search
        self._judged = judged
        self._likely = likely

    @property
    def relations(self) -> Relations:
        """How the entries belong together."""
        return self._search.relations

    def view(self, text: str, prior: Scores | None = None) -> View:
        """What retrieval holds of ``text``, ``prior`` added to the log-shares of the entries."""
        judged = self._judged[text]
        if prior is not None:
            judged = judged.leaning(prior)
        return View(text, judged.weighed.scores, self._search.confidence(judged))

    def likely(self, text: str) -> Likely:
        """How likely ``text`` makes each move."""
        return self._likely(text)

    def outcome(self, wish: Wish, text: str, *, addressed: bool, top_k: int) -> Outcome:
        """What ``wish`` comes to, which is that of ``text``, with at most ``top_k`` hits.

        A question to the tutor that leads nowhere is refused, never met with silence.
        What nobody addressed to the tutor is taken for a follow-up only where it is clearly one,
        and asked as a question; else for a question of its own.
        """
        if isinstance(wish, Nothing):
            if not (wish.asked and addressed):
                return Silent(wish.thanks)
            view = self.view(text)  # who asks is told that the bank does not hold it
            hits = self._search.hits(view.shares, top_k)
            return Refused(hits[:_NEAREST], view.confidence, hits)
        if not (addressed or isinstance(wish, Asks) or _may_interrupt(wish, text)):
            wish = Asks(self.view(text))
        hits = self._search.hits(wish.view.shares, top_k)
        confidence = wish.view.confidence
        if isinstance(wish, Asks):
            return decide(hits, confidence, manner_of(wish.view.text, addressed=addressed))
        if confidence < THRESHOLDS.ask:
            return Refused(hits[:_NEAREST], confidence, hits)
        match wish:
            case AsksOn(aspect=aspect):
                return Answered(hits[0].entry, confidence, hits, aspect)
            case Compares(other=number):
                other = self._search.bank.entries[number].id
                return Compared(hits[0].entry, other, confidence, hits)


def _may_interrupt(wish: AsksOn | Compares, text: str) -> bool:
    if manner_of(text, addressed=False) is not Manner.ASKED:
        return False
    match wish:
        case AsksOn(view, Aspect.ANSWER):
            return view.confidence >= THRESHOLDS.asked
        case AsksOn(view, _, firm):
            return firm and view.confidence >= THRESHOLDS.addressed
        case Compares(view):
            return view.confidence >= THRESHOLDS.addressed
