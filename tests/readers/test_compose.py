"""Compose files as operators write them; what Compose makes of them is asked of Compose.

And files that are none, or that want to be too much.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.errors import ProfileError
from generator.readers.base import NeedsMore
from generator.targets import load_target
from generator.view import STARTED, View
from tests.consumers import compose
from tests.plans import ALONE, shipped
from tests.readers.composing import MAIN, limit, one, told, views
from tests.texts import checked

ANCHORS = """\
x-env: &env
  OLLAMA_KEEP_ALIVE: 30m
  OLLAMA_NUM_PARALLEL: 2
x-limits: &limits {cpus: 4, mem_limit: 12g}
services:
  ollama:
    <<: [*limits]
    image: ollama/ollama:0.32.15
    environment:
      <<: *env
      OLLAMA_NUM_PARALLEL: 4
"""
# name: (files by path, service). Each is read by us and by Compose.
CORPUS: dict[str, tuple[dict[str, str], str]] = {
    "list": (
        {
            MAIN: """\
services:
  ollama:
    image: ollama/ollama
    environment:
      - OLLAMA_HOST=0.0.0.0:11434
      - 'OLLAMA_ORIGINS=http://a,https://b=c'
      - OLLAMA_DEBUG=
      - OLLAMA_NUM_PARALLEL=1
      - OLLAMA_NUM_PARALLEL=2
"""
        },
        "ollama",
    ),
    "mapping with types": (
        {
            MAIN: """\
services:
  ollama:
    image: ollama/ollama
    environment:
      A: true
      B: 0o17
      C: 017
      D: 1_000
      E: 1e6
      F: yes
      G: 0.10
      H: "0.10"
      I: |
        two
        lines
      J: 12:30
      K: 0x1f
      L: 123456789012345678901234567890
      M: !!str 017
      N: >-
        folded
        text
"""
        },
        "ollama",
    ),
    "anchors": ({MAIN: ANCHORS}, "ollama"),
    "interpolation": (
        {
            MAIN: """\
services:
  ollama:
    image: "ollama/ollama:${TAG:-latest}"
    cpus: "${CPUS:-6}"
    mem_limit: ${MEMORY}
    environment:
      A: ${TAG}
      B: ${NOPE:-de${TAG:+f}ault}
      C: ${EMPTY-x}${EMPTY:-y}
      D: "$$HOME and $${HOME}"
      E: ${TAG:?set it}
      F: a$TAG-b
""",
            ".env": "TAG=0.32.15\nMEMORY=10g # of 16\nEMPTY=\n",
        },
        "ollama",
    ),
    "env files": (
        {
            MAIN: """\
services:
  ollama:
    image: ollama/ollama
    env_file:
      - ollama.env
      - {path: more/local.env, required: false}
      - {path: nope.env, required: false}
    environment:
      OLLAMA_DEBUG: "1"
""",
            ".env": "HOST_DIR=/srv\n",
            "ollama.env": "# server\nOLLAMA_DEBUG=0\nexport OLLAMA_MODELS=${HOST_DIR}/models\n"
            "QUOTED=\"a\\tb # c\"\nSINGLE='$HOST_DIR'\nYAML: style\nHASH=a#b # c\n\n"
            'MULTI="one\ntwo"\nREF=$YAML-$NOTHING:-x\n'.replace("$NOTHING:-x", "${NOTHING:-x}"),
            "more/local.env": "OLLAMA_KEEP_ALIVE=-1\nYAML=again\n",
        },
        "ollama",
    ),
    "one env file": (
        {
            MAIN: "services: {ollama: {image: ollama/ollama, env_file: x.env}}",
            "x.env": "A=1\r\nB='it\\'s'\nC=$$x\nD=\nlone\n",
        },
        "ollama",
    ),
    "extends": (
        {
            MAIN: """\
services:
  base:
    image: ollama/ollama:0.32
    env_file: base.env
    environment: [A=base, B=base]
    mem_limit: 8g
    ports: ["127.0.0.1:11434:11434"]
  middle:
    extends: base
    environment: {B: middle}
    cpus: 2
  ollama:
    extends: {service: middle}
    environment: {C: 3}
    mem_limit: 16g
""",
            "base.env": "B=file\nFROM_FILE=1\n",
        },
        "ollama",
    ),
    "extends a file": (
        {
            MAIN: "services: {ollama: {extends: {file: common/o.yml, service: llm}, "
            "environment: [X=1]}}",
            "common/o.yml": "services:\n  llm:\n    image: ollama/ollama\n    env_file: o.env\n"
            "    environment: {OLLAMA_DEBUG: 1}\n",
            "common/o.env": "Y=2\nX=0\n",
        },
        "ollama",
    ),
    "include": (
        {
            MAIN: "include:\n  - llm/compose.yaml\nservices: {app: {image: app}}\n",
            ".env": "A=outer\n",
            "llm/compose.yaml": "services:\n  ollama:\n    image: ollama/ollama\n"
            "    environment: {V: '${A}-${B}'}\n    env_file: x.env\n",
            "llm/.env": "A=inner\nB=only\n",
            "llm/x.env": "W=$A\n",
        },
        "ollama",
    ),
    "include by mapping": (
        {
            MAIN: "include:\n  - path: [a.yaml, b.yaml]\n",
            "a.yaml": "services: {ollama: {image: ollama/ollama, environment: {A: a, B: a}}}",
            "b.yaml": "services: {ollama: {environment: {B: b}, cpus: 1.5}}",
        },
        "ollama",
    ),
    "short limits": (
        {
            MAIN: """\
services:
  ollama:
    image: ollama/ollama
    cpus: 3.5
    cpu_shares: 2048
    cpuset: 0-3,8
    mem_limit: 20g
    mem_reservation: 512m
    memswap_limit: 22gb
    pids_limit: 512
    oom_score_adj: -200
    ulimits: {memlock: -1, nofile: {soft: 1024, hard: 4096}}
"""
        },
        "ollama",
    ),
    "deploy limits": (
        {
            MAIN: """\
services:
  ollama:
    image: ollama/ollama
    deploy:
      resources:
        limits: {cpus: '0.50', memory: "1073741824", pids: 77}
        reservations: {memory: 1.5KiB}
    ulimits: {memlock: {soft: 65536, hard: 65536}}
"""
        },
        "ollama",
    ),
    "tabs and resets": (
        {
            MAIN: "services:\n  ollama:\t# mine\n    image: ollama/ollama\t\n    deploy: !reset\n"
            "      resources: {limits: {cpus: '2'}}\n    environment:\n      A: \t'a\tb'\t # c\n"
        },
        "ollama",
    ),
    "unlimited swap": (
        {MAIN: "services: {ollama: {image: ollama/ollama, mem_limit: 5g, memswap_limit: -1}}"},
        "ollama",
    ),
}


def on_disk(files: Mapping[str, str], folder: Path) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="")
    return folder / MAIN


@pytest.mark.parametrize("name", CORPUS)
def test_we_read_what_compose_reads(name: str, tmp_path: Path) -> None:
    files, service = CORPUS[name]
    theirs = compose.read(on_disk(files, tmp_path), service)
    ours = next(view for view in views(files) if view.name == service)
    assert told(ours) == theirs.environment
    assert limit(ours, "cpu_quota") == theirs.cpu_quota_percent
    assert limit(ours, "cpu_weight") == theirs.cpu_weight
    assert limit(ours, "memory_max") == theirs.memory_max
    assert limit(ours, "memory_high") == theirs.memory_high
    swap = limit(ours, "memory_swap_max")
    assert (None if swap == "infinity" else swap) == theirs.memory_swap_max
    assert limit(ours, "limit_memlock") == theirs.limit_memlock
    raw = theirs.extra["service"]
    assert limit(ours, "allowed_cpus") == raw.get("cpuset")
    assert limit(ours, "oom_score_adjust") == raw.get("oom_score_adj")
    pids = raw.get("deploy", {}).get("resources", {}).get("limits", {}).get("pids")
    assert limit(ours, "tasks_max") == raw.get("pids_limit", pids)
    assert ours.container is not None
    assert ours.container.image == raw["image"] or "$" in ours.container.image


@pytest.mark.parametrize("profile", ALONE)
def test_our_own_files_read_back_as_their_plan(profile: str) -> None:
    plan = shipped(profile)
    file = next(f for f in load_target("compose").render(plan) if f.path == "compose.yaml")
    view = one(file.text)
    assert view.name == "ollama"
    assert told(view) == {s.name: s.value for s in plan.service.environment if s.scope == "any"}
    expressible = {
        n.name: n.value
        for n in plan.service.limits
        if n.name not in {"memory_high", "nice", "io_weight"}
    }
    expressible["tasks_max"] = 4096
    if "memory_max" in expressible:  # One line of the file says both.
        assert expressible["memory_swap_max"] == 0
        expressible["memory_and_swap"] = expressible["memory_max"]
    assert {b.name: b.value for b in view.bounds} == expressible
    assert {m.name for m in view.models} == {
        name for unit in plan.service.jobs for name in unit.models if unit.kind != "resume"
    }
    assert (str(view.release), view.release_told) == (plan.service.release, True)


def test_places_are_those_of_the_values() -> None:
    view = one(ANCHORS)
    places = {v.name: (v.place.line, v.place.key) for v in view.variables}
    assert places == {
        "OLLAMA_NUM_PARALLEL": (11, "services.ollama.environment.OLLAMA_NUM_PARALLEL"),
        "OLLAMA_KEEP_ALIVE": (2, "services.ollama.environment.OLLAMA_KEEP_ALIVE"),
    }
    assert [(b.name, b.place.line, b.written) for b in view.bounds] == [
        ("cpu_quota", 4, "4"),
        ("memory_max", 4, "12g"),
    ]
    assert (view.place.line, view.release, view.phrases.kind) == (
        6, load_catalogue().release("0.32.15"), "compose",
    )  # fmt: skip


def test_places_of_an_env_file_are_in_it() -> None:
    files, _ = CORPUS["env files"]
    found = {v.name: (v.place.file, v.place.line) for v in one(files).variables}
    assert found["OLLAMA_MODELS"] == ("ollama.env", 3)
    assert found["YAML"] == ("more/local.env", 2)
    assert found["REF"] == ("ollama.env", 11)
    assert found["OLLAMA_DEBUG"] == (MAIN, 9)


def test_written_is_what_the_line_spells() -> None:
    view = one(
        "services:\n  ollama:\n    image: ollama/ollama\n    environment:\n"
        "      - \"OLLAMA_HOST=10.0.0.7\"\n      - 'A=it''s'\n      - B=${X:-y}\n"
    )
    assert [v.written for v in view.variables] == ["10.0.0.7", "it''s", "${X:-y}"]
    assert [v.value for v in view.variables] == ["10.0.0.7", "it's", "y"]


def test_what_only_the_shell_knows_is_not_told() -> None:
    view = one(
        "services:\n  ollama:\n    image: ollama/ollama:$TAG\n    cpus: $CPUS\n"
        "    mem_limit: 5g\n    memswap_limit: ${SWAP}\n    environment:\n      OLLAMA_HOST:\n"
        "      OLLAMA_KEEP_ALIVE: ${KEEP}h\n      OLLAMA_DEBUG: ${DEBUG:?say it}\n"
        "    ports: ['${PORT:-11434}:11434', '$PORT:1']\n"
    )
    assert {v.name: (v.value, v.unresolved) for v in view.variables} == {
        "OLLAMA_HOST": ("", True),
        "OLLAMA_KEEP_ALIVE": ("", True),
        "OLLAMA_DEBUG": ("", True),
    }
    assert not view.release_told
    assert view.container is not None
    assert view.container.tag == "$TAG"
    assert [text for text, _ in view.container.ports] == ["11434:11434", "$PORT:1"]
    assert {b.name: b.value for b in view.bounds} == {
        "cpu_quota": None,
        "memory_max": 5 * 2**30,
        "memory_swap_max": None,
        "memory_and_swap": None,
    }


def test_the_release_is_that_of_the_tag() -> None:
    told_by = {
        "ollama/ollama:0.9.2-rocm": ("0.9.2", True),
        "docker.io/ollama/ollama:0.24.0@sha256:abc": ("0.24.0", True),
        "ollama/ollama:latest": (str(load_catalogue().newest), False),
        "ollama/ollama:${V:-0.31.1}": ("0.31.1", True),
        "me/llm-ollama:0.9.2": None,
    }
    for image, expected in told_by.items():
        text = f"services: {{llm: {{image: '{image}'}}}}"
        found = [(str(v.release), v.release_told) for v in views(text)]
        assert found == ([expected] if expected else []), image


def test_an_override_lies_over_the_file() -> None:
    files = {
        MAIN: "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n    cpus: 2\n"
        "    command: serve\n    ports: ['11434:11434']\n    environment: [A=1, B=1]\n",
        "compose.override.yaml": "services:\n  ollama:\n    cpus: 4\n    ports: !override "
        "['127.0.0.1:11434:11434']\n    environment: {B: 2}\n    command: !reset null\n",
    }
    (view,) = views(files, *files)
    assert told(view) == {"A": "1", "B": "2"}
    assert [(b.value, b.place.file) for b in view.bounds] == [(400, "compose.override.yaml")]
    assert view.container is not None
    assert [text for text, _ in view.container.ports] == ["127.0.0.1:11434:11434"]


PROBLEMS = {
    "": ("", "this Compose file has no services"),
    "- a": ("line 1", "this is no Compose file"),
    "services: []": ("line 1", "`services` is no mapping"),
    "services:\n\tollama:": ("line 2", "is not YAML"),
    "services: {a: x}": ("line 1", "the service `a` is no mapping"),
    "services:\n  a: {image: 1}\n  a: {image: 2}": ("line 3", "`a` stands here twice"),
    "services: {a: {image: o, environment: [{A: 1}]}}": ("line 1", "is no `KEY=value`"),
    "services: {a: {image: o, environment: {A: [1]}}}": ("line 1", "environment.A` is no value"),
    "services:\n  ollama:\n    image: '${X'": ("line 3", "is no variable"),
    "services: {ollama: {image: ollama/ollama, mem_limit: 20 gigs}}": (
        "line 1",
        "`20 gigs` is no size",
    ),
    "services: {ollama: {build: ., cpus: lots}}": ("line 1", "`lots` is no number"),
    "services: {ollama: {build: ., cpus: a; b}}": ("line 1", "`a; b` is no number"),
    "services: {ollama: {build: ., cpus: 1e300}}": ("line 1", "more than any machine has"),
    "services: {ollama: {extends: nope}}": ("line 1", "there is no service `nope`"),
    "services: {ollama: {extends: ollama}}": ("line 1", "extends itself"),
    "services: &a {ollama: *a}": ("line 1", "inside what it stands for"),
    "a: &a [*a]": ("line 1", "inside what it stands for"),
    "services: !!python/object:os.system {}": ("", "has no services"),
    "[" * 4000: ("", "nested too deeply"),
    "services: {a: '" + "${A:-" * 4000 + "}" * 4000 + "'}": ("", "nested too deeply"),
    "a: 1\n---\nb: 2": ("", "has no services"),
    "a: \x00": ("", "is not YAML"),
}


@pytest.mark.parametrize("text", PROBLEMS, ids=lambda t: ascii(t[:40]))
def test_a_file_that_is_none_is_a_problem(text: str) -> None:
    where, message = PROBLEMS[text]
    with pytest.raises(ProfileError) as caught:
        views(text)
    problem = caught.value.problems[0]
    assert problem.where == where
    assert message in problem.message
    assert problem.hint
    assert (problem.source or caught.value.source) == MAIN


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        views({MAIN: "services:\n  ollama:\n    image: ollama/ollama\n    cpus: x\n"
                     "    mem_limit: y\n    env_file: bad.env\n",
               "bad.env": "A=1\nA B=2\n"})  # fmt: skip
    found = {(p.source, p.where) for p in caught.value.problems}
    assert found == {(MAIN, "line 4"), (MAIN, "line 5"), ("bad.env", "line 2")}


def test_an_alias_bomb_is_read_in_no_time() -> None:
    lines = ["x0: &x0 {k: v}"]
    lines += [f"x{n}: &x{n} {{a: *x{n - 1}, b: *x{n - 1}}}" for n in range(1, 40)]
    text = "\n".join([*lines, "services: {ollama: {image: ollama/ollama, x-bomb: *x39}}"])
    view = one(text)
    assert view.name == "ollama"
    assert len(view.lines) < 100


def test_a_file_without_an_ollama_has_no_views() -> None:
    assert views("services: {web: {image: nginx}}") == ()


# ── what stands in other files ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "environment", "judged"),
    [
        ("ollama", "{OLLAMA_NUM_THREADS: 6}", True),
        ("ai-ollama2", "{A: b}", True),
        ("ollama-rocm", "[HSA_OVERRIDE_GFX_VERSION=11.0.0]", True),
        ("llm", "[OLLAMA_NUM_PARALLEL=4]", True),
        ("llm", "{OLLAMA_HOST: 0.0.0.0, OLLAMA_NUM_PARALLEL: 4}", True),
        ("api", "{OLLAMA_NUM_CTX: 4096}", False),
        ("api", "{OLLAMA_HOST: 'http://gpu1:11434', OLLAMA_KEEP_ALIVE: 5m}", False),
        ("web", "[OLLAMA_BASE_URL=http://ollama:11434, OLLAMA_KEEP_ALIVE=5m]", False),
        ("ollama-exporter", "{A: b}", False),
    ],
)
def test_an_overlay_alone(name: str, environment: str, *, judged: bool) -> None:
    text = f"services:\n  {name}:\n    environment: {environment}\n"
    assert [seen.adds for seen in views({"compose.gpu.yml": text}, "compose.gpu.yml")] == (
        [True] * judged
    )


@pytest.mark.parametrize(
    ("file", "service", "adds"),
    [
        ("docker-compose.rocm.yml", "image: 'ollama/ollama:rocm'", True),
        ("docker-compose.yml", "image: 'ollama/ollama:rocm'", False),
        ("ollama-compose.yml", "image: 'ollama/ollama:rocm'", False),
        ("compose.llm.yaml", "{image: ollama/ollama, volumes: ['a:/b']}", False),
    ],
)
def test_an_overlay_that_changes_the_image(file: str, service: str, *, adds: bool) -> None:
    text = f"services:\n  ollama:\n    {service}\n"
    assert [seen.adds for seen in views({file: text}, file)] == [adds]


LOSES = """\
services:
  ollama:
    image: ollama/ollama
    env_file: [a.env, b.env]
    environment: [OLLAMA_DEBUG=0, OLLAMA_KEEP_ALIVE=2h, OLLAMA_DEBUG=1]
"""


def overruled(seen: View) -> list[tuple[str, str, str, str, bool]]:
    return [(o.name, o.value, o.place.file, o.by.file, o.usual) for o in seen.overruled]


def test_which_variable_loses() -> None:
    files = {
        MAIN: LOSES,
        "a.env": "OLLAMA_KEEP_ALIVE=1h\nOLLAMA_NUM_PARALLEL=1\nOLLAMA_NUM_PARALLEL=3\n",
        "b.env": "OLLAMA_NUM_PARALLEL=2\n",
    }
    assert overruled(one(files)) == [
        ("OLLAMA_KEEP_ALIVE", "1h", "a.env", MAIN, True),
        ("OLLAMA_NUM_PARALLEL", "1", "a.env", "b.env", True),
        ("OLLAMA_NUM_PARALLEL", "3", "a.env", "b.env", True),
        ("OLLAMA_DEBUG", "0", MAIN, MAIN, False),
    ]
    assert told(one(files))["OLLAMA_NUM_PARALLEL"] == "2"


def test_an_override_is_meant_to_win_but_not_its_file_of_variables() -> None:
    over = "compose.override.yaml"
    files = {
        MAIN: "services: {ollama: {image: ollama/ollama, environment: {A: '1', B: '1'}}}",
        over: "services: {ollama: {environment: {A: '2'}, env_file: over.env}}",
        "over.env": "B=2\n",
    }
    (seen,) = views(files, MAIN, over)
    assert overruled(seen) == [("B", "2", "over.env", MAIN, False)]
    assert (told(seen)["A"], told(seen)["B"]) == ("2", "1")


def test_a_raw_file_is_taken_letter_by_letter() -> None:
    service = "services:\n  ollama:\n    image: ollama/ollama\n    environment: {Z: '1'}\n"
    text = f"{service}    env_file:\n      - {{path: a.env, format: raw}}\n      - b.env\n"
    lines = 'A="one"\n# C=1\nB=$A\nZ=2\n'
    seen = one({MAIN: text, "a.env": lines, "b.env": 'D="one"\n'})
    assert told(seen) == {"A": '"one"', "B": "$A", "D": "one", "Z": "1"}


@pytest.mark.parametrize(("needed", "open_ended"), [("", True), (", required: false", False)])
def test_a_file_that_may_be_missing(needed: str, open_ended: bool) -> None:
    service = "services:\n  ollama:\n    image: ollama/ollama\n"
    seen = one(f"{service}    env_file: [{{path: gone.env{needed}}}]\n")
    (gap,) = seen.not_judged
    assert ("optional" in gap.reason, gap.variables) == (not open_ended, open_ended)


def test_a_script_that_a_config_holds() -> None:
    text = (
        "services:\n  ollama:\n    image: ollama/ollama\n    entrypoint: [/bin/sh, /up.sh]\n"
        "    configs: [{source: up, target: /up.sh}]\n"
        "configs:\n  up:\n    content: |\n      #!/bin/sh\n      ollama serve\n"
    )
    lines = [line for line in views(text)[0].lines if line.section == STARTED]
    assert [(line.name, line.place.line) for line in lines] == [("up", 9)]


def test_a_file_that_is_not_at_hand_is_told() -> None:
    text = "services:\n  ollama:\n    image: ollama/ollama\n    env_file:\n      - gone.env\n"
    assert [(gap.file, gap.line, gap.part) for gap in one(text).not_judged] == [
        (MAIN, 5, "`env_file: gone.env`")
    ]
    included = one(f"include: [gone.yaml]\n{text.partition('    env_file')[0]}")
    assert [(gap.line, gap.part) for gap in included.not_judged] == [(1, "`include`")]


def test_a_project_whose_server_is_not_at_hand_is_not_judged() -> None:
    with pytest.raises(NeedsMore):
        views("include: [gone.yaml]\nservices: {web: {image: nginx}}\n")


def test_an_included_file_may_name_its_variables() -> None:
    files = {
        MAIN: "include: [{path: llm/compose.yaml, env_file: llm.env}]\n",
        "llm/compose.yaml": "services: {ollama: {image: ollama, environment: {A: '${TAG}'}}}\n",
        "llm/.env": "TAG=1\n",
        "llm.env": "TAG=2\n",
    }
    assert told(one(files)) == {"A": "2"}


def test_an_included_file_may_name_the_release() -> None:
    text = "services: {ollama: {image: 'ollama/ollama:${TAG}'}}\n"
    files = {MAIN: "include: [{path: a.yaml, env_file: b.env}]\n", "a.yaml": text}
    seen = one({**files, "b.env": "TAG=0.5.1\n"})
    assert seen.container is not None
    assert (seen.container.tag, str(seen.release)) == ("0.5.1", "0.5.1")
    assert (box := one({**files, "b.env": ""}).container) is not None
    assert box.tag == "${TAG}"


def test_a_variable_twice_in_what_is_around() -> None:
    text = "services: {ollama: {image: ollama, environment: {A: '${OLLAMA_DEBUG}'}}}\n"
    files = {MAIN: text, ".env": "OLLAMA_DEBUG=0\nDB=1\nDB=2\nOLLAMA_DEBUG=1\n"}
    assert overruled(one(files)) == [("OLLAMA_DEBUG", "0", ".env", ".env", False)]


GIVEN = """\
services:
  llm: {{image: "ollama/ollama:0.32.15", entrypoint: /start.sh, configs: [{}]}}
  web: {{image: nginx, configs: [site]}}
configs:
  site: {{content: "proxy_pass http://llm:11434"}}
  start:
    content: |
      {}
      ollama serve
"""


@pytest.mark.parametrize("named", ["start", "{source: start, target: /start.sh}"])
def test_a_file_whose_text_stands_in_the_project_is_read(named: str) -> None:
    box, script = views(GIVEN.format(named, "#!/bin/sh\n      export A=1"))
    assert box.container is not None
    assert [(v.name, v.reach, v.place.line) for v in script.variables] == [("A", "server", 9)]
    assert (str(script.release), script.release_told) == ("0.32.15", True)
    assert box.not_judged == ()


def test_a_file_in_the_project_that_is_of_no_kind_is_named() -> None:
    seen = one(GIVEN.format("{source: start, target: /start.py}", "import os"))
    assert [(gap.part, gap.line) for gap in seen.not_judged] == [("configs.start.content", 8)]


def test_a_base_that_is_not_at_hand_leaves_the_rest_to_be_judged(tmp_path: Path) -> None:
    image = "image: ollama/ollama:0.32.15"
    text = (
        "services:\n  app:\n    extends: {file: ../base.yaml, service: app}\n"
        f"  ollama:\n    {image}\n    environment: {{OLLAMA_NUM_THREADS: 8}}\n"
        f"  llm:\n    extends: {{file: ../base.yaml, service: llm}}\n    {image}\n"
    )
    report = checked(tmp_path, {"compose.yaml": text})
    assert {(p.place.line, p.finding.rule) for p in report.findings} == {
        *((4, "HW205"), (5, "HW513"), (5, "HW518"), (6, "HW101")),
    }
    assert [(gap.line, gap.reason) for gap in report.not_judged] == [
        (3, "`../base.yaml` is not at hand"),
        (8, "`../base.yaml` is not at hand"),
    ]
