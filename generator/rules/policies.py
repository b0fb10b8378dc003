"""HW689: policies of a cluster that bar what a server needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import BARRED

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_BARS: Final = {
    "pulls": (
        "lets nothing out to port 443 of the internet: models cannot be pulled",
        "allow it, beside DNS: `egress: [{ports: [{port: 443}, {port: 53, protocol: UDP}]}]`",
    ),
    "clients": (
        "lets nobody in to the port of the server, and a Service leads there",
        "allow that port, `ports: [{{port: {port}}}]`, from the pods that ask",
    ),
}


@Rule(
    id="HW689",
    title="a policy that bars what the server needs",
    why="A NetworkPolicy that names `Egress` among its types, and allows nothing, shuts everything "
    "that goes out: with DNS alone a name is found, and no model is pulled. One for `Ingress` lets "
    "in what its rules name, and requests to another port wait until they are given up. Of several "
    "policies for a pod each may allow something. Said of the policies at hand.",
    bad="policyTypes: [Ingress, Egress]\ningress: [{from: [{podSelector: {}}]}]",
    good="policyTypes: [Ingress]\ningress: [{from: [{podSelector: {}}]}]",
    source="kubernetes.io/docs/concepts/services-networking/network-policies",
)
def barred_by_policy(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(BARRED):
        what, fix = _BARS[line.value]
        yield Hit(
            message=f"the policy `{line.name}` {what}",
            place=line.place,
            fix=fix.format(port=facts.image.port) if line.value == "clients" else fix,
        )
