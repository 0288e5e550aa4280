"""Base of every message: a struct with an id and a kind, entered in one registry.

Law: (kind, id) names a message. A command and its DONE reply share the id and differ in kind, so the kind
tells the direction. Ids are never reused.
"""

from types import GenericAlias
from typing import Any, ClassVar, Final, Generic, TypeVar

from protocols.language.enums import Kind, Lane
from protocols.language.structs import Struct


class Message(Struct):
    """Base of every message. Fields are listed in their order in the payload."""

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


REGISTRY: Final[dict[tuple[int, int], type[Message]]] = {}
"""(kind, message id) -> class. Filled by importing `protocols.language.messages`."""


Done = TypeVar("Done", bound=Message, covariant=True)


class Command(Message, Generic[Done]):
    """Base of every command. It names the message that answers it, so that mypy knows what `ask(command)` returns.

        class Count(Command["CountDone"], id=0x030A, lane=Lane.MOTION): ...

    A test holds that this is the reply with the command's id.
    """

    def __class_getitem__(cls, done: Any) -> Any:
        """Name the answer, for type checkers only: a class of its own would enter the registry as a message."""
        return GenericAlias(cls, (done,))
