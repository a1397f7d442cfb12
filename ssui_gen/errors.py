"""The error tree. Each error is named by the door it crossed.

    SsuiError
    ├── ConfigError             a setting, card or command line is wrong: nothing has been called yet
    ├── NothingMade             a run came to its end and keeps nothing
    ├── PromptError             a prompt file is missing, misspelt or asks for an unknown variable
    ├── RecordError             a row does not have the shape of its record
    ├── ImageError              a picture is refused or cannot be read; carries a reason code
    ├── ReplyError              a model answered, but not what its agent must answer
    │   └── ReplyRefused        it says that it will not: asking again in the same words is useless
    ├── ServerError             our own server did not start, or died
    ├── TrainError              a training cannot go on: a number is none, or memory is not there
    ├── RunLocked               another process is writing this run folder
    ├── Superseded              another process has taken over this shard
    ├── NotRunning              `ssui ctl` finds no job in the run folder that answers
    └── ModelError              a call to a served model failed
        ├── RequestRefused      the server refuses this request (400, 413, 422): trying again is useless
        │   ├── ContextOverflow the prompt does not fit the model's context
        │   └── ContentRefused  a provider's filter will not have what is asked, or what it would answer
        ├── CallFailed          every retry of one call failed, but the server is there
        ├── ServerGone          no server answers any more: stop the run, it can be resumed
        └── AccessDenied        wrong key, unknown model or wrong address (401, 403, 404): stop the run

Messages say where, what was found, what was expected and what to do.
"""

from __future__ import annotations


class SsuiError(Exception):
    """Base of every error this project raises on purpose."""


class ConfigError(SsuiError):
    """A setting, card or command line is wrong; raised before the first call."""


class NothingMade(SsuiError):
    """A run came to its end and keeps nothing."""


class PromptError(SsuiError):
    """A prompt file is missing, malformed or uses an unknown variable."""


class RecordError(SsuiError):
    """A row does not have the shape of its record."""


class ImageError(SsuiError):
    """A picture is refused or unreadable. `reason` is a reject code of `records.Reason`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ReplyError(SsuiError):
    """A model answered, but not what its agent must answer. `calls` are the ids of the calls it took."""

    reason = "reply_invalid"
    """The reject code of `records.Reason` for an item that ends so."""

    def __init__(self, message: str, calls: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.calls = calls


class ReplyRefused(ReplyError):
    """A model, or its provider's filter, will not answer. The same words would be refused again."""

    reason = "refused"


class ServerError(SsuiError):
    """A server of ours did not start, or died."""


class TrainError(SsuiError):
    """A training cannot go on: a loss is not a number, or the memory does not suffice."""


class RunLocked(SsuiError):
    """Another process is writing this run folder."""


class Superseded(SsuiError):
    """Another process has taken over this shard: what is written from here on counts for nothing."""


class NotRunning(SsuiError):
    """No job in this run folder answers `ssui ctl`."""


class ModelError(SsuiError):
    """A call to a served model failed."""


class RequestRefused(ModelError):
    """The server refuses this request (HTTP 400, 413, 422): trying again is useless."""

    reason = "request_refused"
    """The reject code of `records.Reason` for an item whose call ends so."""

    def __init__(self, message: str, said: str = "", field: str = "") -> None:
        super().__init__(message)
        self.said = said
        """The server's own words."""
        self.field = field
        """The field that they are about, where the server names it."""


class ContextOverflow(RequestRefused):
    """The prompt and the reply together do not fit the model's context."""

    reason = "context_overflow"


class ContentRefused(RequestRefused):
    """A provider's content filter refuses what is asked."""

    reason = "refused"


class CallFailed(ModelError):
    """Every retry of one call failed although the server is there."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
        """Of HTTP, of the last one; 0 where it had none."""

    reason = "call_failed"


class ServerGone(ModelError):
    """No server answers any more. The run stops and can be resumed."""


class AccessDenied(ModelError):
    """Wrong key, unknown model or wrong address (HTTP 401, 403, 404). The run stops."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
        """Of HTTP; 0 where it is not the status that denies."""


OF_ITEM = (RequestRefused, CallFailed)
"""Failed calls that cost one item, by their `reason`; any other ends the run."""
