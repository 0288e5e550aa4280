"""Base of messages and records: a tuple of checked values in the order of their bytes, each with its name.

    class Point(Struct):
        x_um: Annotated[U16, Unit("um")]
        y_um: Annotated[U16, Unit("um")]

    Point(x_um=3, y_um=4).y_um == 4

How it works: a class's annotations become `FIELDS` and one property each when the class is made. A payload of numbers
unpacks to the very tuple that the struct is, and packs from it, so that a layout neither names nor copies a value.

Law: a struct that was built holds only what its fields allow; it never changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform, get_origin

from protocols.language.errors import MessageError
from protocols.language.fields import Field, read_field

if TYPE_CHECKING:

    class Values:
        """A tuple as type checkers see it: without `index` and `count`, which are names of fields."""

        def __new__(cls, values: Iterable[Any]) -> Self:
            """Make one of its values, in order."""

        def __iter__(self) -> Iterator[Any]:
            """The values, in order."""

else:
    Values = tuple


class _WithoutDict(type):
    """Makes classes whose instances have a tuple and nothing beside it, so that no attribute can be added."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any) -> "_WithoutDict":
        return super().__new__(mcs, name, bases, {**namespace, "__slots__": ()}, **keywords)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Struct(Values, metaclass=_WithoutDict):
    """Base of what has fields. Two are equal if their classes and their values are."""

    FIELDS: ClassVar[Mapping[str, Field]] = {}
    """Name -> field, in the order of the bytes."""

    def __init_subclass__(cls) -> None:
        """Read the class's annotations.

        Raises:
            TypeError: one is not of a field.
        """
        super().__init_subclass__()
        fields = dict(cls.FIELDS)
        for name, annotation in cls.__annotations__.items():
            origin: object = get_origin(annotation)
            if origin is not ClassVar:
                setattr(cls, name, property(itemgetter(len(fields))))
                fields[name] = read_field(annotation)
        cls.FIELDS = fields

    def __new__(cls, /, **values: Any) -> Self:
        """Check the values, one for each field.

        Raises:
            MessageError: one does not fit, is missing, or has no field; names it.
        """
        fields = cls.FIELDS
        if values.keys() != fields.keys():
            name = next(name for name in (*fields, *values) if name not in fields or name not in values)
            raise MessageError(cls.__name__, name, "is missing" if name in fields else "there is no such field")
        checked = []
        for name, field in fields.items():
            try:
                checked.append(field.check(values[name]))
            except ValueError as error:
                raise MessageError(cls.__name__, name, str(error)) from error
        return Values.__new__(cls, checked)

    @classmethod
    def unchecked(cls, **values: object) -> Self:
        """A struct of all its fields, each computed by this end within its range; at a third of the cost of checking.

        For the few messages that a session sends by the thousand. A value that does not fit its bytes still fails
        when it is encoded; one that only breaks a narrower range is the peer's to refuse.
        """
        return Values.__new__(cls, map(values.__getitem__, cls.FIELDS))

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name, in order."""
        return dict(zip(self.FIELDS, self, strict=True))

    def __repr__(self) -> str:
        cells = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"{self.__class__.__name__}({cells})"

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and Values.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Values.__hash__

    def __bool__(self) -> bool:
        """True, also where there are no fields: an empty tuple is false, and a message is there all the same."""
        return True

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]:
        """Arguments of the constructor, for copies and pickles."""
        return (), self.as_dict()
