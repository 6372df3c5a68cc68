"""What can go wrong in the bot, and what a learner is told about it.

BotError
├── SettingsError        a setting is wrong
├── NoTokenError         there is no Discord token
├── StoreError           the store cannot be opened or used
└── EntryGoneError       a button names an entry that the bank no longer holds
"""


class BotError(Exception):
    """The bot could not do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class SettingsError(BotError):
    """A setting is wrong."""


class NoTokenError(BotError):
    """XUEBAN_DISCORD_TOKEN is not set: give it in the environment or in a .env file."""


class StoreError(BotError):
    """The store cannot be opened or used."""


class EntryGoneError(BotError):
    """The bank no longer holds this entry."""
