"""Records beside the dataclasses of the standard library: nobody can tell them apart."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from generator import records

MAKERS = [dataclasses.dataclass, records.dataclass]


def made(maker: Callable[..., Any], **options: bool) -> Any:
    @maker(frozen=True, **options)
    class Point:
        """A place."""

        x: int
        y: int = 0
        tags: list[str] = field(default_factory=list)

        @property
        def sum(self) -> int:
            return self.x + self.y

    return Point


SHAPES: list[dict[str, bool]] = [{}, {"slots": True}, {"slots": True, "kw_only": True}]


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("maker", MAKERS)
def test_it_is_a_dataclass(maker: Callable[..., Any], options: dict[str, bool]) -> None:
    point = made(maker, **options)
    one = point(x=1, y=2)
    assert repr(one) == f"{point.__qualname__}(x=1, y=2, tags=[])"
    assert one == point(x=1, y=2) != point(x=1)
    assert one != (1, 2, [])
    assert one.sum == 3
    assert dataclasses.asdict(one) == {"x": 1, "y": 2, "tags": []}
    assert dataclasses.replace(one, y=3) == point(x=1, y=3)
    assert [f.name for f in dataclasses.fields(one)] == ["x", "y", "tags"]
    assert point(x=1).tags is not point(x=1).tags
    assert hasattr(one, "__dict__") != options.get("slots", False)
    assert point.__match_args__ == (() if options.get("kw_only") else ("x", "y", "tags"))


@pytest.mark.parametrize("options", SHAPES)
def test_a_record_with_some_fields_replaced(options: dict[str, bool]) -> None:
    point = made(records.dataclass, **options)
    one = point(x=1, y=2)
    assert records.replace(one, y=3) == dataclasses.replace(one, y=3) == point(x=1, y=3)
    assert one.y == 2
    with pytest.raises(TypeError):
        records.replace(one, z=1)


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("maker", MAKERS)
def test_nothing_of_it_changes(maker: Callable[..., Any], options: dict[str, bool]) -> None:
    one = made(maker, **options)(x=1)
    with pytest.raises(FrozenInstanceError):
        one.x = 2
    with pytest.raises(FrozenInstanceError):
        del one.x
    assert one.x == 1


@pytest.mark.parametrize("maker", MAKERS)
def test_its_arguments_are_its_fields(maker: Callable[..., Any]) -> None:
    point = made(maker, slots=True)
    assert point(1, 2) == point(x=1, y=2)
    wrong: tuple[Any, ...]
    for wrong in ((), (1, 2, [], 3)):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            point(*wrong)
    with pytest.raises(TypeError, match="positional"):
        made(maker, kw_only=True)(1)


@pytest.mark.parametrize("maker", MAKERS)
def test_equal_ones_are_one_in_a_set(maker: Callable[..., Any]) -> None:
    @maker(frozen=True, slots=True)
    class Name:
        text: str

    named: Any = Name
    assert len({named("a"), named("a"), named("b")}) == 2


@pytest.mark.parametrize("maker", MAKERS)
def test_without_eq_each_is_itself(maker: Callable[..., Any]) -> None:
    point = made(maker, slots=True, eq=False)
    assert point(1) != point(1)
    assert len({point(1), point(1)}) == 2


@pytest.mark.parametrize("maker", MAKERS)
def test_fields_are_inherited_and_checked(maker: Callable[..., Any]) -> None:
    @maker(frozen=True, slots=True, kw_only=True)
    class Base:
        name: str = ""

    @maker(frozen=True, slots=True, kw_only=True)
    class More(Base):
        size: int

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("negative")

    more: Any = More
    assert repr(more(size=1)).endswith("More(name='', size=1)")
    assert more(size=1) == more(name="", size=1)
    with pytest.raises(ValueError, match="negative"):
        more(size=-1)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_method_of_its_own_stays(maker: Callable[..., Any]) -> None:
    @maker(frozen=True, slots=True)
    class Loud:
        text: str

        def __repr__(self) -> str:
            return self.text.upper()

    loud: Any = Loud
    assert repr(loud("a")) == "A"


@records.dataclass(frozen=True, slots=True)
class Kept:
    name: str
    size: int = 0


def test_it_is_copied_and_pickled() -> None:
    one = Kept("a", 1)
    assert copy.deepcopy(one) == one == pickle.loads(pickle.dumps(one))  # noqa: S301 -- ours


@pytest.mark.parametrize("options", SHAPES)
def test_the_many_of_a_class_are_made_like_the_first(options: dict[str, bool]) -> None:
    point = made(records.dataclass, **options)
    every = [point(x=number) for number in range(2 * records.MANY)]
    assert [one.x for one in every] == [*range(2 * records.MANY)]
    assert every[-1] == point(y=0, x=every[-1].x)
    assert every[-1].tags is not every[-2].tags
    assert dataclasses.replace(every[-1], y=3).sum == every[-1].x + 3
    with pytest.raises(TypeError):
        point(z=1)
