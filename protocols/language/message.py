"""Base of every message: a frozen, validated model with an id and a kind, entered in one registry.

Law: (kind, id) names a message. A command and its DONE reply share the id and differ in kind, so the kind
tells the direction. Ids are never reused.
"""

from types import GenericAlias
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from protocols.language.enums import Kind, Lane

_Model = TypeVar("_Model", bound=BaseModel)

# The four slots of a pydantic model. Filling them is what `model_construct` does, five times slower.
_new: Final = object.__new__
_set_dict: Final = BaseModel.__dict__["__dict__"].__set__
_set_fields_set: Final = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra: Final = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private: Final = BaseModel.__dict__["__pydantic_private__"].__set__


def assemble(model: type[_Model], values: dict[str, object], names: set[str]) -> _Model:
    """A model of values that are known to be valid, each of `names`; takes both over, and checks nothing."""
    message = _new(model)
    _set_dict(message, values)
    _set_fields_set(message, names)
    _set_extra(message, None)
    _set_private(message, None)
    return message


class Message(BaseModel):
    """Base of every message. Fields are listed in their order in the payload."""

    # A validator is built at its class's first use: all at once would cost every command a tenth of its start.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    ID: ClassVar[int]
    KIND: ClassVar[Kind]
    LANE: ClassVar[Lane | None] = None
    SINCE: ClassVar[int] = 0
    """The protocol minor that added this message. A receiver of an earlier minor does not know it."""

    def __init_subclass__(
        cls,
        *,
        id: int | None = None,
        kind: Kind = Kind.COMMAND,
        lane: Lane | None = None,
        since: int = 0,
    ) -> None:
        """Enter the class in the registry; without an id it is a base of messages and no message.

        Raises:
            TypeError: the (kind, id) is taken, or a command has no lane or does not say what answers it.
        """
        super().__init_subclass__()
        if id is None:
            return
        if kind is Kind.COMMAND and lane is None:
            raise TypeError(f"{cls.__name__}: a command needs a lane")
        if kind is Kind.COMMAND and not issubclass(cls, Command):
            raise TypeError(f'{cls.__name__}: a command names its answer: class {cls.__name__}(Command["..."], ...)')
        if (kind, id) in REGISTRY:
            raise TypeError(f"{cls.__name__}: {kind.name} 0x{id:04x} is {REGISTRY[kind, id].__name__}")
        cls.ID, cls.KIND, cls.LANE, cls.SINCE = id, kind, lane, since
        REGISTRY[kind, id] = cls

    @classmethod
    def unchecked(cls, **values: object) -> Self:
        """A message of all its fields, each computed by this end within its range; at a third of the cost of checking.

        For the few messages that a session sends by the thousand. A value that does not fit its bytes still fails
        when it is encoded; one that only breaks a narrower range is the peer's to refuse.
        """
        return assemble(cls, values, _NAMES[cls])


REGISTRY: Final[dict[tuple[int, int], type[Message]]] = {}
"""(kind, message id) -> model. Filled by importing `protocols.language.messages`."""


Done = TypeVar("Done", bound=Message, covariant=True)


class Command(Message, Generic[Done]):
    """Base of every command. It names the message that answers it, so that mypy knows what `ask(command)` returns.

        class Count(Command["CountDone"], id=0x030A, lane=Lane.MOTION): ...

    A test holds that this is the reply with the command's id.
    """

    def __class_getitem__(cls, done: Any) -> Any:
        """Name the answer, for type checkers only; pydantic would make another model, and enter it as a message."""
        return GenericAlias(cls, (done,))


class _Names(dict[type[Message], set[str]]):
    """The names of each class's fields; one set for all its messages, which are frozen and cannot add to it."""

    def __missing__(self, model: type[Message]) -> set[str]:
        names = self[model] = set(model.model_fields)
        return names


_NAMES: Final = _Names()
