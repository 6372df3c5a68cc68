"""The two languages of the bank, and text that exists in both."""

import re
from dataclasses import dataclass
from enum import StrEnum

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


class Language(StrEnum):
    """A language that the bank is written in."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in both languages; neither is empty."""

    zh: str
    en: str

    def text(self, language: Language) -> str:
        """The text in ``language``."""
        return self.zh if language is Language.ZH else self.en


def language_of(text: str) -> Language:
    """The language that a learner writes: Chinese as soon as one Han character is in it."""
    return Language.ZH if _HAN.search(text) else Language.EN
