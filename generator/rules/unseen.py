"""HW618: characters that nobody sees, or that are not what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.rules.helpers.variables import server_variables
from generator.rules.rule import Hit, Hits, Rule
from generator.view import UNSEEN, unseen

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW618",
    title="a character that is not what it looks like",
    why="A page or a chat puts blanks that do not break, blanks without a width and marks of the "
    "direction into what is copied. They are part of a name or a value, which then is another one; "
    "the parser of Modelfiles drops them, so that two words become one. Of two dashes such a page "
    "makes a long one, which no program takes for the beginning of an option.",
    bad="PARAMETER num_ctx\u00a08192    # U+00A0 before the number: there is no such parameter",
    good="PARAMETER num_ctx 8192",
    source="parser/parser.go@v0.32.15, ParseFile (strconv.IsPrint); envconfig/config.go@v0.32.15, "
    "Var",
)
def unseen_character(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNSEEN):
        yield Hit(
            message=f"{line.name} stands on this line: {line.value}",
            place=line.place,
            fix="write the line anew, without it",
        )
    for variable in server_variables(view):
        # The server itself takes blanks of every kind off both ends.
        text = f"{variable.name}={variable.value.strip()}"
        if text.isascii() or text.isprintable():
            continue
        if found := unseen(text):
            yield Hit(
                message=f"`{variable.name}` has {', '.join(found)} in it, which nobody sees",
                place=variable.place,
                fix="write it anew, without that",
            )
