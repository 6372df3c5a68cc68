"""What must hold of every wording, in whichever file of the bank it stands."""

from typing import Final

from knowledge.language import Language, language_of

MAX_CHARACTERS: Final = 300
"""How long a phrasing may be: nobody asks at greater length in a chat."""


def language_fault(text: str, language: Language) -> str | None:
    """What is wrong when ``text`` is not in ``language``."""
    if language_of(text) is language:
        return None
    return f"this is not {'Chinese' if language is Language.ZH else 'English'}: {text}"


def length_fault(text: str) -> str | None:
    """What is wrong when ``text`` is too long for a phrasing."""
    if len(text) <= MAX_CHARACTERS:
        return None
    return f"a phrasing has at most {MAX_CHARACTERS} characters"
