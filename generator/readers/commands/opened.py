"""Commands of clouds that let everybody come to the port of a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST
from generator.view import WORLD, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context
    from generator.readers.syntax.options import Argument

_EVERYBODY: Final = r"(?:0\.0\.0\.0/0|::/0|\*|Internet|Any)(?![\w.])"
_OPENS: Final = {
    "gcloud": (
        r"compute firewall-rules create\b",
        r"--(?:allow|rules)[= ](?:\S*,)?(?:tcp:)?{port}(?![\d-])",
        r"--source-ranges[= ]\S*?(0\.0\.0\.0/0)",
        r"--source-|EGRESS|DENY|--disabled",
    ),
    "aws": (
        r"ec2 authorize-security-group-ingress\b",
        r"(?:--port[= ]|FromPort=){port}(?!\d)",
        r"(?:--cidr[= ]|CidrIp=|CidrIpv6=)(0\.0\.0\.0/0|::/0)",
        "",
    ),
    "az": (
        r"(?:vm open-port|network nsg rule create)\b",
        r"--(?:port|ports|destination-port-ranges?)[= ](?:\S*,)?{port}(?![\d-])",
        rf"--source-address-prefix(?:es)?[= ]({_EVERYBODY})",
        r"--source-|Outbound|Deny",
    ),
    "doctl": (
        r"compute firewall (?:create|add-rules|update)\b",
        r"--inbound-rules?[= ].*?\bports?:{port}(?!\d)",
        r"\bports?:{port}(?!\d)[^ ]*?address:(0\.0\.0\.0/0|::/0)",
        "",
    ),
    "hcloud": (
        r"firewall add-rule\b(?!.*--direction[= ]out)",
        r"--port[= ]{port}(?!\d)",
        r"--source-ips[= ](0\.0\.0\.0/0|::/0)",
        "",
    ),
}
"""How a cloud's program opens a port: by which command, at which port, to whom; and what says
that it opens it to some, without which it is to everybody, or empty: nobody comes in by default.
"""


def opened_to_all(words: Sequence[Argument], context: Context) -> Iterator[Line]:
    """Yield a rule by which everybody comes to the engine's port: the program, whom it lets in."""
    first = words[1:] if words[0].text == "sudo" else words
    pattern = _OPENS.get(first[0].text) if first else None
    if pattern is None:
        return
    port = context.catalogue.at(context.engine.name).image.port
    text = " ".join(word.text for word in first)[:LONGEST]
    verb, at, whom, some = (part.replace("{port}", str(port)) for part in pattern)
    if not (re.search(verb, text) and re.search(at, text)):
        return
    told = re.search(whom, text)
    if told or (some and not re.search(some, text)):
        value = told[1] if told else "0.0.0.0/0"
        yield Line(section=WORLD, name=first[0].text, value=value, place=first[0].place)
