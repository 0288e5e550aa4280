"""What every message is: a frozen, validated model with an id and a kind, entered in one registry.

Law: (kind, id) names a message. A command and its DONE reply share the id and differ in kind, so the kind
tells the direction. Ids are never reused.
"""

from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from protocols.enums import Kind, Lane


class Message(BaseModel):
    """Base of every message. Fields are listed in the order in which they stand in the payload."""

    # A validator is built at its class's first use: all at once would cost every command a tenth of its start.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    ID: ClassVar[int]
    KIND: ClassVar[Kind]
    LANE: ClassVar[Lane | None] = None

    def __init_subclass__(cls, *, id: int, kind: Kind = Kind.COMMAND, lane: Lane | None = None, **kwargs: Any) -> None:
        """Enter the class in the registry.

        Raises:
            TypeError: the (kind, id) is taken, or a command has no lane.
        """
        super().__init_subclass__(**kwargs)
        if kind is Kind.COMMAND and lane is None:
            raise TypeError(f"{cls.__name__}: a command needs a lane")
        if (kind, id) in REGISTRY:
            raise TypeError(f"{cls.__name__}: {kind.name} 0x{id:04x} is {REGISTRY[kind, id].__name__}")
        cls.ID, cls.KIND, cls.LANE = id, kind, lane
        REGISTRY[kind, id] = cls


REGISTRY: Final[dict[tuple[int, int], type[Message]]] = {}
"""(kind, message id) -> model. Filled by importing `protocols.messages`."""
