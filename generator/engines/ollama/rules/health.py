"""HW509, HW510, HW543, HW545, HW555, HW563, HW565: what asks whether the server works."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.scripts import is_unknown
from generator.meaning import parse_go_duration
from generator.rules.helpers import sandbox
from generator.rules.helpers.containers import (
    begun,
    installs,
    is_official,
    runs_own_script,
    stands_in,
)
from generator.rules.rule import Hit, Hits, Rule
from generator.units import whole
from generator.view import ASKS_ALL, EXECUTED, FOREIGN, STARTED, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Line, Place, View


_NO_ENDPOINT: Final = re.compile(
    r"(?<![\w.-])(?:https?://[^\s/]*?(?::([^\s:/]+))?)?(/(?:api/)?healthz?)(?![\w/-])"
)
_TELLS_NOTHING: Final = re.compile(
    r"\bollama\s+(?:--version|-v|(?:--)?help|-h)(?![\w-])"
    r"|\b(?:pgrep|pidof|which|command\s+-v|type\s+-\w)\s+[^|;&]{0,200}?\bollama\b"
    r"|^(?:CMD(?:-SHELL)?\s+)?(?:/\w+)*/?(?:true|exit\s+0|:|echo\b[^|;&]*)\s*$"
    # Without a command the program prints its help; a driver's program asks the driver.
    r"|(?<![\w.-])ollama(?=\s*(?:$|&&|;))|(?<![\w.-])(?:nvidia|rocm|amd)-smi(?![\w.-])"
)
_ALWAYS: Final = re.compile(r"(?:\|\||;)\s*(?:true|:|exit\s+0|echo\b[^|;&]*)\s*[\"']?\s*$")
_ASKS_AS_WELL: Final = re.compile(
    r"\b(?:ollama\s+(?:list|ls|ps|show)|curl|wget|python3?)\b[^|;]{0,300}?&&"
    r"|&&[^|;]{0,300}?\b(?:ollama\s+(?:list|ls|ps|show)|curl|wget|python3?)\b|/dev/tcp/"
)
_LOADS: Final = re.compile(
    r"\bollama\s+run\b|/api/(?:generate|chat|embed(?:dings)?)\b|/v1/(?:chat/)?completions\b"
)


@Rule(
    id="HW509",
    title="a health check that says nothing",
    why="The image has neither curl nor wget, and the server no /api/health: the container never "
    "turns healthy, and what depends on it never starts. `ollama --version` and `|| true` pass "
    "with a dead server. `ollama list` asks and loads nothing.",
    bad='test: ["CMD", "curl", "-f", "http://localhost:11434/api/health"]',
    good='test: ["CMD", "ollama", "list"]',
    source="Dockerfile@v0.32.15:296-320; ollama#9781, ollama#1378",
)
def health_check_fails(view: View, facts: Facts) -> Hits:
    official = is_official(view, facts) and (not runs_own_script(view) or _scripts_told(view))
    for text, words, place in _checks(view):
        lacking = facts.image.missing_tools
        asked = (t for t in lacking if re.search(rf"(?<![\w/.-]){t}(?![\w.-])", text))
        missing = [tool for tool in asked if not _made_with(view, tool)]
        endpoint = _no_endpoint(text, facts.image.port)
        if official and words and missing:
            message = f"there is no {missing[0]} in the image: the check says nothing of the server"
            yield _never_healthy(view, message, words, place)
        elif words and words[0] not in _KINDS and not words[0].startswith("$"):
            yield _of_no_kind(view, words, place)
        elif endpoint:
            message = f"the server has no `{endpoint}`: it answers 404"
            yield _never_healthy(view, message, words, place)
        elif not words and official and (refusal := _refused(text, facts)):
            yield _never_healthy(view, refusal, words, place)
        elif words[:1] == ("CMD",) and words[1:] and " " in words[1].strip() and _is_told(words[1]):
            message = f"there is no program by the name `{words[1]}`: each word is one by itself"
            yield _never_healthy(view, message, words, place)
        elif words and (unknown := _asks_for(text, facts)):
            message = f"`ollama` has no command `{unknown}`: the check never passes"
            yield _never_healthy(view, message, words, place)
        elif words[:1] == ("CMD-SHELL",) and len(words) > 2:  # noqa: PLR2004 -- one command
            message = f"CMD-SHELL takes one string: `{words[1]}` alone is run, what follows is not"
            yield _lists_instead(view, message, words, place)
        elif words and not stands_in(view) and (found := _says_nothing(text)):
            told = found[0].removeprefix("CMD-SHELL").removeprefix("CMD").strip(" ;|\"'")
            message = f"`{told}` ends with 0 when no server answers: the check passes whatever is"
            yield _lists_instead(view, message, words, place)


_ASKED: Final = re.compile(
    r"(?:^(?:CMD(?:-SHELL)?\s+)?|[;&|(]\s{0,9})(?:/[\w./-]{1,99}/)?ollama\s+([a-z][a-z-]*)(?=\s|[;&|)]|$)",
    re.ASCII,
)


def _is_told(word: str) -> bool:
    """Whether a word stands there, and is none that a template or a variable puts in."""
    return not word.lstrip().startswith(("{{", "$"))


def _asks_for(text: str, facts: Facts) -> str:
    """Return a command that a check asks of the program, and that no release has."""
    return next((word for word in _ASKED.findall(text) if is_unknown(word, facts)), "")


def _no_endpoint(text: str, port: int) -> str:
    """Return a path that a check asks of the server, and that it does not have.

    What asks at the port of something else as well, or at one that bears another name, is not it.
    """
    for found in _NO_ENDPOINT.finditer(text):
        at = found[1] or ""
        other = whole(at) not in {None, port} and str(port) in text
        if not other and not (at.startswith("$") and "OLLAMA" not in at.upper()):
            return found[2]
    return ""


def _refused(path: str, facts: Facts) -> str:
    """Return why a probe, which asks by GET, never passes; empty: it does, or nobody knows."""
    plain = path.partition("?")[0].rstrip("/") or "/"
    if re.search(r"[{$]", path) or any(fnmatchcase(plain, one) for one in facts.routes.by_get):
        return ""
    if _LOADS.search(plain):
        return f"the probe asks by GET, and `{plain}` takes a POST alone: it answers 405"
    return f"the server has no `{plain}`: it answers 404"


_KINDS: Final = frozenset({"CMD", "CMD-SHELL", "NONE"})


def _of_no_kind(view: View, words: tuple[str, ...], place: Place) -> Hit:
    """Return the Hit for a list that does not say what it is."""
    book = view.phrases
    refused = bool(book.refuses_whole)
    who = f"{book.reader} refuses {book.refuses_whole}" if refused else "Docker runs no check"
    message = f"a check begins with CMD, CMD-SHELL or NONE: with `{words[0]}` {who}"
    hit = _never_healthy(view, message, words, place)
    return replace(hit, severity="error") if refused else hit


def _says_nothing(text: str) -> re.Match[str] | None:
    """Return what makes a check pass with a dead server; not so where it asks one as well."""
    always = _ALWAYS.search(text)
    return always or (None if _ASKS_AS_WELL.search(text) else _TELLS_NOTHING.search(text))


def _never_healthy(view: View, message: str, words: tuple[str, ...], place: Place) -> Hit:
    """Return the Hit; what waits until such a check passes never starts."""
    waiting = view.container.waited_for if view.container else ()
    hit = _lists_instead(view, message, words, place)
    if not waiting:
        return hit
    names = ", ".join(f"`{name}`" for name in waiting)
    return replace(hit, message=f"{message}; {names} never starts", severity="error")


@Rule(
    id="HW555",
    severity="error",
    title="a service that waits for a health check that nobody has",
    why="The image has no health check of its own. Where the file gives it none, Compose ends with "
    "`container has no healthcheck configured`, and what waits for `service_healthy` never starts.",
    bad="depends_on:\n  ollama: {condition: service_healthy}    # which has no healthcheck",
    good='healthcheck:\n  test: ["CMD", "ollama", "list"]    # of ollama',
    source="Dockerfile@v0.32.15:296-320; docker/compose: pkg/compose/convergence.go",
)
def waits_for_no_check(view: View, facts: Facts) -> Hits:
    box = view.container
    if box is None or not box.waited_for or not is_official(view, facts) or view.adds:
        return
    if view.lines_named("extends"):
        return
    if box.healthcheck is None or box.healthcheck[0] == ("NONE",):
        names = ", ".join(f"`{name}`" for name in box.waited_for)
        yield Hit(
            message=f"{names} waits until this service is healthy, which nothing checks: it never "
            "starts",
            place=box.healthcheck[1] if box.healthcheck else box.place,
            fix='add `healthcheck: {test: ["CMD", "ollama", "list"]}`',
        )


_LOADED: Final = re.compile(
    r"\bollama\s+ps\b[^;&]{0,200}?\|\s*(?:e?grep|awk|wc|sed)\b|/api/ps\b[^;&]{0,200}?\|"
)


@Rule(
    id="HW563",
    title="a health check that wants a model loaded",
    why="A server without a loaded model is healthy: it loads one with the next request, and "
    "unloads it after OLLAMA_KEEP_ALIVE, 5 minutes unless told otherwise. A check for what "
    "`ollama ps` lists fails until the first request, and whenever nobody has asked for a while.",
    bad='test: ["CMD-SHELL", "ollama ps | grep -q llama3.1"]',
    good='test: ["CMD", "ollama", "list"]',
    source="docs/faq.mdx@v0.32.15: How do I keep a model loaded in memory",
)
def health_check_wants_a_model(view: View, _: Facts) -> Hits:
    keep = view.variable("OLLAMA_KEEP_ALIVE")
    for_ever = keep.value.strip().startswith("-") if keep else not view.lacks("OLLAMA_KEEP_ALIVE")
    for text, words, place in _checks(view):
        if words and not for_ever and _LOADED.search(text):
            message = "the check fails while no model is loaded: a server that idles is unhealthy"
            yield _lists_instead(view, message, words, place)


@Rule(
    id="HW510",
    title="a health check that loads a model",
    why="Each probe loads the model, or keeps one loaded that should have gone, and takes a "
    "request slot. Under load it waits behind the users' requests, and a busy server counts as "
    "broken. `/health` of LiteLLM asks all of its models.",
    bad='test: ["CMD", "ollama", "run", "llama3.1:8b", "hi"]',
    good='test: ["CMD", "ollama", "list"]',
    source="server/routes.go@v0.32.15:483,2651; docs.litellm.ai/docs/proxy/health",
)
def health_check_loads(view: View, _: Facts) -> Hits:
    for text, words, place in _checks(view):
        if words and (asks := _LOADS.search(text)):
            message = (
                f"the health check asks for a model (`{asks[0]}`): each probe loads it, and waits "
                f"behind the users' requests"
            )
            yield _lists_instead(view, message, words, place)
    for line in view.lines_in(ASKS_ALL):
        yield Hit(
            message="`/health` of LiteLLM asks every model for an answer: each probe loads "
            "those of Ollama in turn, and with a key set it is refused",
            place=line.place,
            fix="ask for `/health/liveliness`",
        )


def _checks(view: View) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    """Yield each health check as text, as words (none: an HTTP probe), and where it stands."""
    container = view.container
    if container is not None and container.healthcheck is not None:
        words, place = container.healthcheck
        yield " ".join(words), words, place
    for words, place in container.checks if container else ():
        yield " ".join(words), words, place
    for path, place in container.probes if container else ():
        yield path, (), place


def _lists_instead(view: View, message: str, words: tuple[str, ...], place: Place) -> Hit:
    """Return the Hit, with an Edit for a shell command and for a list in double quotes."""
    if not words:
        return Hit(message=message, place=place, fix="ask for `/`")
    if words[0] == "CMD-SHELL":
        fix, written, right = "write `ollama list`", words[-1], "ollama list"
        usual = len(words) == 2  # noqa: PLR2004 -- the command is one word
    else:
        right = '"ollama", "list"'
        fix = f"write `{view.phrases.check.format(right)}`"
        written, usual = ", ".join(f'"{word}"' for word in words[1:]), words[0] == "CMD"
    edits = (Edit(place, written, right),) if usual else ()
    return Hit(message=message, place=place, fix=fix, edits=edits)


_INSTALLS: Final = re.compile(
    r"\b(?:apt(?:-get)?|apk|dnf)\b[^;&|\n]{0,400}\b(?:install|add)\b[^;&|\n]*"
)


@Rule(
    id="HW543",
    title="a program that the image does not have",
    why="The image has neither curl nor wget, nor nc, and the images of these have no `ollama`. A "
    "script that waits with one of them until the server answers waits for ever, or gives up, and "
    "a pull by it never begins. `ollama list` asks the same.",
    bad="until docker exec ollama curl -s http://localhost:11434; do sleep 1; done",
    good="until docker exec ollama ollama list; do sleep 1; done",
    source="Dockerfile@v0.32.15:296-320; ollama#9781",
)
def lacking_program(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(FOREIGN):
        at = _calls(line.value, view.engine)
        if at is not None:
            inline = line.place.key or "\n" not in line.value
            yield Hit(
                message=f"there is no {view.engine} in `{line.name}`, where this runs",
                place=line.place if inline else replace(line.place, line=line.place.line + at),
                fix="run it in the image of the server, with its address in OLLAMA_HOST, or ask "
                "`/api/pull` with curl",
            )
    for tool in facts.image.missing_tools:
        named = [line for line in _told(view) if tool in line.value or line.name == tool]
        own = bool(named) and is_official(view, facts) and not _made_with(view, tool)
        for line in named:
            at = None
            if line.section == EXECUTED:
                at = _executes(line, tool)
            elif own:
                at = _calls(line.value, tool)
            if at is not None:
                below = at if line.section in {STARTED, EXECUTED} else 0
                yield Hit(
                    message=f"there is no {tool} in the image of the server",
                    place=replace(line.place, line=line.place.line + below),
                    fix="ask with `ollama list`, or install it in an image of your own",
                )


def _told(view: View) -> Iterator[Line]:
    """Yield what is run in a container, and what makes its image."""
    yield from view.lines_in(EXECUTED)
    yield from begun(view)
    yield from view.lines_named("RUN")


def _executes(line: Line, tool: str) -> int | None:
    """Return the line from 0 on which a container is asked for a program; None: on none."""
    if line.name:
        return 0 if line.name == tool else None
    return (
        None
        if any(tool in found for found in _INSTALLS.findall(line.value))
        else _calls(line.value, tool)
    )


def _made_with(view: View, tool: str) -> bool:
    """Whether the image, or what it starts, may get a program: or a script of it is not at hand."""
    texts = view.lines_in(STARTED)
    told = [line.value for line in begun(view)]
    if installs(view, tool) or any(not line.value for line in texts):
        return True
    pattern = rf"(?<![\w.-]){tool}(?![\w.-])"
    return any(re.search(pattern, found) for text in told for found in _INSTALLS.findall(text))


def _scripts_told(view: View) -> bool:
    """Whether the scripts that a container begins with are at hand."""
    texts = [line.value for line in view.lines_in(STARTED)]
    return bool(texts) and all(texts)


def _calls(text: str, tool: str) -> int | None:
    """Return the line from 0 on which a script has a program as a command; None: on none."""
    before = r"(?:^|[;&|(!`]|\b(?:until|while|if|then|do|else|exec)\s)"
    for number, line in enumerate(text.split("\n")):
        if re.search(rf"{before}\s*{tool}\s+[^\s;&|]", line) and line.lstrip()[:1] != "#":
            return number
    return None


_SCRAPED: Final = "prometheus.io/scrape"


def _in_vain(path: str, whence: str = "") -> str:
    """Return what Prometheus gets for a path of the server."""
    if path == "/" or path.startswith("/api/"):
        return f"what `{path}` answers is no list of figures: Prometheus takes the target for down"
    return f"no release has `{path}`: Prometheus gets 404{whence}"


@Rule(
    id="HW565",
    title="figures that nobody gives",
    why="No release has /metrics: Prometheus gets 404 at every turn, and an alarm for a target "
    "that is down. What the other paths answer is JSON, or a sentence: no figures that it reads, "
    "so that `up` stays 0 as well. An exporter beside the server can ask it, or a proxy can count; "
    "whether it answers at all is for the blackbox exporter.",
    bad='podAnnotations: {prometheus.io/scrape: "true", prometheus.io/port: "11434"}',
    good="podAnnotations: {}",
    source="server/routes.go@v0.32.15; ollama#3144",
)
def scraped_in_vain(view: View, facts: Facts) -> Hits:
    for one in view.watched.scrapes if view.watched else ():
        other = re.search(r"(?i)router|proxy|gateway|exporter|balancer", f"{one.job} {one.host}")
        if one.port == facts.image.port and not other:
            yield Hit(
                message=_in_vain(one.path, f" from {one.host}"),
                place=one.place,
                fix="name the port of an exporter, or of a proxy before the server",
            )
    told = {line.name: line for line in view.lines if line.name.startswith("prometheus.io/")}
    scraped, port = told.get(_SCRAPED), told.get("prometheus.io/port")
    path = told.get("prometheus.io/path")
    if scraped is None or scraped.value.strip("\"'").lower() != "true":
        return
    asked = path.value.strip("\"'") if path else "/metrics"
    told_port = port is None or port.value.strip("\"'") == str(facts.image.port)
    if told_port and (asked == "/metrics" or asked.startswith("/api/")):
        yield Hit(
            message=_in_vain(asked),
            place=(path or scraped).place,
            fix="take the annotations out, or name the port of an exporter",
        )


HOUR: Final = 3600
# How formats spell the time before the first check, between two, and how many may fail, with
# what holds where nothing is said.
_WAITS: Final = (
    (r"(?i).*probe", ("initialDelaySeconds", 0), ("periodSeconds", 10), ("failureThreshold", 3)),
    (r"(?:.*\.)?healthcheck", ("start_period", 0), ("interval", 30), ("retries", 3)),
    (r"Container", ("HealthStartPeriod", 0), ("HealthInterval", 30), ("HealthRetries", 3)),
)


@Rule(
    id="HW545",
    severity="info",
    title="a check that waits an hour",
    why="Until then a server that is dead counts as one that starts: nothing restarts it, and what "
    "depends on it waits as long. A server answers within seconds; a model that loads, or is "
    "pulled, does not keep it from that. A loop of ExecStartPost= ends with TimeoutStartSec=.",
    bad="startupProbe: {periodSeconds: 10, failureThreshold: 360}",
    good="startupProbe: {periodSeconds: 10, failureThreshold: 30}",
    source="docs.docker.com/reference/compose-file/services: healthcheck; "
    "kubernetes.io: Configure Liveness, Readiness and Startup Probes; systemd.service(5), "
    "TimeoutStartSec=",
)
def waits_an_hour(view: View, _: Facts) -> Hits:
    check = view.container.healthcheck if view.container else None
    if check is not None and check[0][:1] == ("NONE",):
        return  # There is no check, whatever is said of how it waits.
    for section, lines in view.sections.items():
        own = {line.name: line for line in lines}
        for pattern, *keys in _WAITS:
            if not (any(name in own for name, _ in keys) and re.fullmatch(pattern, section)):
                continue
            first, each, times = (_seconds(own.get(name), usual) for name, usual in keys)
            told = [(_seconds(own[n], 0), own[n].place) for n, _ in keys if n in own]
            if first + each * max(times, 1) >= HOUR:
                yield Hit(
                    message=f"a dead server is told after {(first + each * times) // 60} minutes: "
                    f"it may fail {times} times, {each} seconds apart, from second {first} on",
                    place=max(told, key=lambda pair: pair[0])[1],
                    fix="let it fail for a few minutes at most",
                )
    yield from _start_of_a_unit(view)


_LOOP: Final = re.compile(r"\b(?:until|while)\b")
_DOWNLOADS: Final = re.compile(r"\b(?:pull|run|create)\b")
_SPAN: Final = re.compile(
    r"([0-9]{1,9})[ \t]*(h|hr|hours?|m|min|minutes?|s|sec|seconds?|)(?![a-z])"
)


def _start_of_a_unit(view: View) -> Hits:
    """Yield a start that waits for the server by a loop, which systemd ends after an hour or never.

    A download may take as long.
    """
    timed = sandbox.said(view, *sandbox.STARTS_WITHIN)[-1:]
    after = [line.value for line in sandbox.said(view, "ExecStartPost")]
    waits = any(map(_LOOP.search, after)) and not any(map(_DOWNLOADS.search, after))
    for line in timed if waits else ():
        never = line.value.strip() == "infinity"
        if never or _span(line.value.strip()) >= HOUR:
            yield Hit(
                message="a server that never answers counts as one that starts "
                + ("for ever: systemd ends nothing" if never else f"for {line.value.strip()}"),
                place=line.place,
                fix="let a start take a few minutes at most",
            )


def _span(text: str) -> int:
    """Return the seconds of a time span of systemd, 0 for what is none."""
    units = {"h": 3600, "m": 60, "s": 1, "": 1}
    return sum(int(number) * units[unit[:1]] for number, unit in _SPAN.findall(text))


def _seconds(line: Line | None, usual: int) -> int:
    """Return the seconds, or the number, of a line; `usual` where it tells none."""
    if line is None:
        return usual
    if (number := whole(line.value.strip("\"'"))) is not None:
        return number
    try:
        return max(0, parse_go_duration(line.value.strip("\"'")) // 10**9)
    except ValueError:
        return usual
