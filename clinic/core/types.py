"""Column types that keep instants in UTC, quantities exact and states spelled out."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses a time without a zone; always answers in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a zone.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WholeNumbers(TypeDecorator[tuple[int, ...]]):
    """Some whole numbers in their order, kept as "1,3,5"; none are NULL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return ",".join(str(int(number)) for number in value) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[int, ...] | None:
        return tuple(int(number) for number in value.split(",")) if value else None


class Amounts(TypeDecorator[tuple[Decimal, ...]]):
    """Some exact decimals in their order, kept as "0.2,0.4"; none are NULL.

    A float and a value with more than four places are refused, never rounded.
    """

    impl = sa.Text
    cache_ok = True
    places = 4

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return ",".join(self._text(amount) for amount in value) if value else None

    def _text(self, amount: Any) -> str:
        if not isinstance(amount, Decimal) or not amount.is_finite():
            raise TypeError("An amount is a finite Decimal.")
        scaled = amount.scaleb(self.places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more than {self.places} decimal places.")
        return format(amount, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Decimal, ...] | None:
        return tuple(Decimal(amount) for amount in value.split(",")) if value else None


class Names(TypeDecorator[frozenset[str]]):
    """Some names, kept as "admin,physician" in the order of the alphabet; none are NULL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return ",".join(sorted(str(name) for name in value)) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[str]:
        return frozenset(value.split(",")) if value else frozenset()


class Quantity(TypeDecorator[Decimal]):
    """An exact decimal with a fixed number of places.

    PostgreSQL keeps it as `numeric`; SQLite, which would make it a float, as a scaled integer. A float and a value
    with more places than the column are refused, never rounded.
    """

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, places: int = 4) -> None:
        super().__init__()
        self.places = places

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.Numeric(18, self.places))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal | int) or isinstance(value, bool):
            raise TypeError(f"A quantity is a Decimal, not {type(value).__name__}.")
        exact = Decimal(value)
        if not exact.is_finite():
            raise ValueError("A quantity is finite.")
        scaled = exact.scaleb(self.places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.places} decimal places.")
        return int(scaled) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(value).scaleb(-self.places)
        return Decimal(value)


def enum_type(states: type[StrEnum], name: str) -> sa.Enum:
    """Store an enum by value, with a check constraint that lists the values."""
    return sa.Enum(
        states,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )
