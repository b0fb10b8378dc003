"""Files of Prometheus: what it asks for figures, and the rules that are made of them.

Rules are held against every configuration that is checked with them. Source:
prometheus.io/docs/prometheus/latest/configuration: configuration, alerting and recording rules.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.around import Expression, Scrape, Watched
from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, PartlyRead, Source
from generator.readers.prometheus import PROMETHEUS
from generator.readers.syntax.literally import taken_as_it_stands
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Scalar, Table, parse
from generator.units import whole
from generator.view import Place, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MORE: Final = frozenset({"scrape_config_files", "remote_read"})
"""Keys by which series come from elsewhere."""
_EXPANDED: Final = frozenset({"global"})
"""Tables with values of the environment: `external_labels` of `global` alone."""
_TIME: Final = re.compile(
    r"0|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?", re.ASCII
)


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
    jobs = jobs_of(tables)
    alerts = any(one.alert for table in tables for one in expressions_of(table))
    asked = tuple(one for table in tables for one in scrapes_of(table))
    literal = {
        source.path: taken_as_it_stands(table, source, context, within=_EXPANDED)
        for source, table in pairs
        if "scrape_configs" in table.entries
    }
    for source, table in pairs:
        if not {"scrape_configs", "groups"} & set(table.entries):
            continue
        watched = Watched(
            expressions=tuple(expressions_of(table)),
            scrapes=tuple(scrapes_of(table)),
            asked=asked,
            records=recorded(tables),
            scraped=any("scrape_configs" in one.entries for one in tables),
            jobs=jobs,
            unheard=_unheard(table) if alerts else None,
            misread=tuple(misread_in(table)),
        )
        yield context.view(
            PROMETHEUS,
            context.release_for(),
            name=posixpath.basename(source.path),
            place=Place(source.path),
            adds=True,
            keys=tuple(keys_of(table)),
            lines=tuple(literal.get(source.path, ())),
            watched=watched,
        )


def _table(source: Source) -> Table:
    top = parse(source)
    return top if isinstance(top, Table) else Table({}, Place(source.path, 1))


def jobs_of(tables: Sequence[Table]) -> frozenset[str] | None:
    """Return the names that series have as their job; None: there may be others."""
    asking = [table for table in tables if "scrape_configs" in table.entries]
    if not asking or any(_MORE & set(table.entries) for table in asking):
        return None
    names: set[str] = set()
    for job in (one for table in asking for one in table.items("scrape_configs")):
        if not isinstance(job, Table) or _renames(job):
            return None
        names.add(job.text("job_name"))
        groups = (one for one in job.items("static_configs") if isinstance(one, Table))
        names |= {text for group in groups if (text := group.text("labels", "job"))}
    return frozenset(names)


def _renames(job: Table) -> bool:
    """Return whether series of a job may have the name of another one."""
    honors = job.scalar("honor_labels")
    steps = (*job.items("relabel_configs"), *job.items("metric_relabel_configs"))
    targets = {one.text("target_label") for one in steps if isinstance(one, Table)}
    actions = {one.text("action") for one in steps if isinstance(one, Table)}
    return bool(honors and honors.is_true) or "job" in targets or "labelmap" in actions


def _unheard(table: Table) -> Place | None:
    """Return where a configuration with rules names nobody who gets their alerts."""
    if "scrape_configs" not in table.entries or not list(table.items("rule_files")):
        return None
    managers = [one for one in table.items("alerting", "alertmanagers") if isinstance(one, Table)]
    for one in managers:
        groups = [g for g in one.items("static_configs") if isinstance(g, Table)]
        if any(key.endswith("_sd_configs") for key in one.entries):
            return None
        if any(list(group.items("targets")) for group in groups):
            return None
    key = "alerting" if "alerting" in table.entries else "rule_files"
    return Place(table.place.file, table.place_of(key).line, key)


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


def misread_in(table: Table) -> Iterator[tuple[str, str, Place]]:
    """Yield the times of rules that are none; what a template fills in may be one."""
    groups = (group for group in table.items("groups") if isinstance(group, Table))
    told = [(group, "interval") for group in groups]
    told += [(rule, key) for rule in _rules(table) for key in ("for", "keep_firing_for")]
    for above, key in told:
        scalar = above.scalar(key)
        if scalar is None or not scalar.text or re.search(r"[{$<]", scalar.text):
            continue
        if not _TIME.fullmatch(scalar.text):
            yield key, scalar.text, Place(scalar.place.file, scalar.place.line, key)


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
