"""What can go wrong with the store.

StoreError                 the store cannot be opened or used (bot.errors)
├── StoreAddressError      the address is none that a store opens at
├── StoreTooNewError       a newer version of Xueban wrote the database
└── StoreUnavailableError  the database does not answer
"""

from bot.errors import StoreError


class StoreAddressError(StoreError):
    """The database address is wrong."""


class StoreTooNewError(StoreError):
    """The database was written by a newer version of Xueban: update Xueban."""


class StoreUnavailableError(StoreError):
    """The database does not answer."""
