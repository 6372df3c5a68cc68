"""Commands in the learner's language: a text carries its Chinese along to Discord."""

from collections.abc import Sequence
from typing import Any

from discord import Locale, app_commands
from discord.app_commands import TranslationContextTypes, Translator, locale_str

from knowledge.language import Language, language_of

_CHINESE = frozenset({Locale.chinese, Locale.taiwan_chinese})


def said(english: str, *, zh: str) -> locale_str:
    """A command's text in English, with the Chinese that zh clients show instead."""
    return locale_str(english, zh=zh)


class BilingualTranslator(Translator):
    """Gives Discord the Chinese of every text made by `said`."""

    async def translate(
        self,
        string: locale_str,
        locale: Locale,
        context: TranslationContextTypes,  # noqa: ARG002 - the signature is discord.py's
    ) -> str | None:
        """The Chinese for a Chinese locale, None (the English stands) for any other."""
        return string.extras.get("zh") if locale in _CHINESE else None


def language_of_locale(locale: Locale) -> Language:
    """The bank's language for a client's locale."""
    return Language.ZH if locale in _CHINESE else Language.EN


def answer_language(question: str, locale: Locale | None, before: Sequence[str] = ()) -> Language:
    """The language to answer ``question`` in, which came after the learner's questions ``before``.

    Whoever writes Chinese is answered in Chinese. A bare term in Latin letters ("dropout", "code?")
    says nothing about its writer, so there the question before it decides, and otherwise the
    client's locale, where it is known; a sentence of English is answered in English.
    """
    if language_of(question) is Language.ZH:
        return Language.ZH
    if len(question.split()) <= _TERM_WORDS:
        if before:
            return answer_language(before[-1], locale)
        if locale is not None:
            return language_of_locale(locale)
    return Language.EN


_TERM_WORDS = 2
"""Up to so many words, a Latin question is a term rather than a sentence."""


async def command_payloads(tree: app_commands.CommandTree[Any]) -> list[dict[str, Any]]:
    """The global commands as Discord is told them, translations included."""
    translator = tree.translator
    return [
        (
            command.to_dict(tree)
            if translator is None
            else await command.get_translated_payload(tree, translator)
        )
        for command in tree.get_commands()
    ]
