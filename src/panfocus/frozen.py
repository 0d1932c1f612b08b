"""Classes whose values nobody changes, made in a tenth of the time that `dataclasses` takes.

    from panfocus.frozen import frozen

`dataclass(frozen=True)` writes the source of six functions for every class and has it compiled;
with ninety classes that was a tenth of a small fusion. Here the same functions serve all classes.
`field`, `fields`, `replace`, `asdict`, ``__post_init__``, patterns and inheritance are those of
`dataclasses`, and so are equality, hash and representation.

For what a fusion loads as it starts. Public classes stay what the reference pages and `help` can
read parameters of, and so do those of which a fusion makes thousands: making one is dearer here.
See docs/decisions/0045-start.md.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ClassT = TypeVar("ClassT")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[ClassT]) -> type[ClassT]:
    """Make what `dataclass(frozen=True)` makes of a class.

    Example:
        >>> @frozen
        ... class Size:
        ...     height: int
        ...     width: int = 1
        >>> Size(2)
        Size(height=2, width=1)
        >>> Size(2) == Size(2, width=1)
        True
    """
    dataclass(init=False, repr=False, eq=False)(cls)
    own = vars(cls)
    for name, method in _METHODS.items():
        if name not in own:
            setattr(cls, name, method)
    return cls


def _init(self: DataclassInstance, /, *args: object, **given: object) -> None:
    cls = type(self)
    known = fields(self)
    count = len(args) + len(given)
    given.update(zip((one.name for one in known if not one.kw_only), args, strict=False))
    if len(given) < count:
        raise TypeError(f"{cls.__qualname__}: too many values, or one of them twice")
    values = vars(self)
    for one in known:
        if one.name in given:
            values[one.name] = given.pop(one.name)
        elif one.default is not MISSING:
            values[one.name] = one.default
        elif one.default_factory is not MISSING:
            values[one.name] = one.default_factory()
        else:
            raise TypeError(f"{cls.__qualname__}: {one.name} is missing")
    if given:
        raise TypeError(f"{cls.__qualname__}: nothing is called {', '.join(given)}")
    check = getattr(self, "__post_init__", None)
    if check is not None:
        check()


def _repr(self: DataclassInstance) -> str:
    told = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
    return f"{type(self).__qualname__}({told})"


def _compared(self: DataclassInstance) -> tuple[Any, ...]:
    return tuple(getattr(self, f.name) for f in fields(self) if f.compare)


def _eq(self: DataclassInstance, other: DataclassInstance) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: DataclassInstance) -> int:
    return hash(_compared(self))


def _set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _set,
    "__delattr__": _delete,
}
