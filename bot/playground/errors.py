"""What can go wrong in the playground.

PlaygroundError
├── ApiError        the bot's request is refused, with Discord's status and code
│   └── FormError   its body breaks a limit: 50035 and where
└── LearnerError    the learner's request is refused
"""

from bot.playground.wire import Json


class PlaygroundError(Exception):
    """The playground could not do that."""


class ApiError(PlaygroundError):
    """Discord refuses the request.

    `status` is the HTTP status, `code` Discord's own JSON error code.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{status} (error code: {code}): {message}")
        self.status = status
        self.code = code
        self.message = message

    def as_answer(self) -> Json:
        """The body of the answer."""
        return {"message": self.message, "code": self.code}


class FormError(ApiError):
    """Invalid Form Body."""

    def __init__(self, errors: Json) -> None:
        super().__init__(400, 50035, "Invalid Form Body")
        self.errors = errors

    def as_answer(self) -> Json:
        """The body of the answer, with Discord's nested `errors`."""
        return {**super().as_answer(), "errors": self.errors}

    @classmethod
    def at(cls, path: str, code: str, message: str) -> "FormError":
        """One error at a dotted path (`embeds.0.title`), or at the top where it is empty."""
        errors: Json = {"_errors": [{"code": code, "message": message}]}
        for part in reversed([part for part in path.split(".") if part]):
            errors = {part: errors}
        return cls(errors)


class LearnerError(PlaygroundError):
    """The learner's request cannot be done."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def unknown(what: str) -> ApiError:
    """404 for a thing that does not exist or that the bot cannot see."""
    codes = {
        "Channel": 10003,
        "Guild": 10004,
        "Member": 10007,
        "Message": 10008,
        "Role": 10011,
        "User": 10013,
        "Emoji": 10014,
        "Webhook": 10015,
        "Interaction": 10062,
        "Application Command": 10063,
    }
    name = "interaction" if what == "Interaction" else what
    return ApiError(404, codes[what], f"Unknown {name}")


def missing_permissions() -> ApiError:
    """403, 50013."""
    return ApiError(403, 50013, "Missing Permissions")


def missing_access() -> ApiError:
    """403, 50001."""
    return ApiError(403, 50001, "Missing Access")
