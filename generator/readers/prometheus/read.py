"""Files of Prometheus: what it asks for figures, and the rules that are made of them.

Rules are held against every configuration that is checked with them. Source:
prometheus.io/docs/prometheus/latest/configuration: configuration, alerting and recording rules.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from generator.around import Expression, Scrape, Watched
from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, PartlyRead, Source
from generator.readers.prometheus import PROMETHEUS
from generator.readers.syntax.yaml_tree import Scalar, Table, parse
from generator.units import whole
from generator.view import Place, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is no file of Prometheus."""
    pairs: list[tuple[Source, Table]] = []
    faults: list[Problem] = []
    for source in sources:
        try:
            pairs.append((source, _table(source)))
        except ProfileError as error:
            faults += error.problems
    views = tuple(_views(pairs, context))
    if faults:
        raise PartlyRead(faults[0].source, tuple(faults), views)
    if not views:
        reason, hint = "it asks for no figures and has no rules", "name the file that does"
        raise NeedsMore(sources[0].path, (Problem("", reason, hint, sources[0].path),))
    return views


def _views(pairs: Sequence[tuple[Source, Table]], context: Context) -> Iterator[View]:
    tables = [table for _, table in pairs]
    asked = tuple(one for table in tables for one in scrapes_of(table))
    for source, table in pairs:
        if not {"scrape_configs", "groups"} & set(table.entries):
            continue
        watched = Watched(
            expressions=tuple(expressions_of(table)),
            scrapes=tuple(scrapes_of(table)),
            asked=asked,
            records=recorded(tables),
            scraped=any("scrape_configs" in one.entries for one in tables),
        )
        yield context.view(
            PROMETHEUS,
            context.release_for(),
            name=posixpath.basename(source.path),
            place=Place(source.path),
            adds=True,
            watched=watched,
        )


def _table(source: Source) -> Table:
    top = parse(source)
    return top if isinstance(top, Table) else Table({}, Place(source.path, 1))


def recorded(tables: Iterable[Table]) -> frozenset[str]:
    """Return the names that recording rules give."""
    rules = (rule for table in tables for rule in _rules(table))
    return frozenset(name for rule in rules for name in (rule.text("record"),) if name)


def _rules(table: Table) -> Iterator[Table]:
    for group in table.items("groups"):
        for rule in group.items("rules") if isinstance(group, Table) else ():
            if isinstance(rule, Table):
                yield rule


def expressions_of(table: Table) -> Iterator[Expression]:
    """Yield the queries of the groups of rules in a mapping."""
    for rule in _rules(table):
        expr = rule.scalar("expr")
        name = rule.text("alert") or rule.text("record")
        if expr is not None:
            place = Place(expr.place.file, expr.place.line, "expr")
            yield Expression(text=expr.text, place=place, name=name, alert="alert" in rule.entries)


def scrapes_of(table: Table) -> Iterator[Scrape]:
    """Yield what the jobs of a configuration ask, where targets stand in it."""
    for job in table.items("scrape_configs"):
        if not isinstance(job, Table):
            continue
        path = job.text("metrics_path") or "/metrics"
        for group in job.items("static_configs"):
            for target in group.items("targets") if isinstance(group, Table) else ():
                if isinstance(target, Scalar):
                    yield _scrape(job, target, path)
        for group in job.items("dns_sd_configs"):
            port = group.scalar("port") if isinstance(group, Table) else None
            names = group.items("names") if isinstance(group, Table) else ()
            for name in names if port is not None else ():
                if isinstance(name, Scalar) and port is not None:
                    yield Scrape(
                        job=job.text("job_name"),
                        host=name.text,
                        port=whole(port.text),
                        path=path,
                        place=Place(port.place.file, port.place.line, "port"),
                    )


def _scrape(job: Table, target: Scalar, path: str) -> Scrape:
    host, _, port = target.text.rpartition(":") if ":" in target.text else (target.text, "", "")
    host = host.rpartition("/")[2]
    relabelled = any(
        isinstance(one, Table) and one.text("target_label") == "__address__"
        for one in job.items("relabel_configs")
    )
    return Scrape(
        job=job.text("job_name"),
        host="" if relabelled else host,
        port=None if relabelled else whole(port),
        path=path,
        place=Place(target.place.file, target.place.line, "targets"),
    )
