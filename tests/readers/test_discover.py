"""What a path is, alone and in directories as operators keep them."""

import os
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.readers.base import Context, Source
from generator.readers.discover import STDIN, Found, discover
from generator.readers.seen import views
from generator.readers.signs import kind_of
from generator.readers.text import LARGEST, read_beside
from tests.tools import require

UNIT = "[Service]\nExecStart=/usr/local/bin/ollama serve\nRestart=always\n"
DROP_IN = '[Service]\nEnvironment="OLLAMA_KEEP_ALIVE=1d"\n'
QUADLET = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\n"
COMPOSE = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
VALUES = "# mine\nollama:\n  gpu:\n    enabled: true\n"
MODULE = "{ pkgs, ... }:\n{\n  services.ollama.enable = true;\n}\n"
PROFILE = 'schema_version = 1\nname = "x"\n'
ENV = "OLLAMA_NUM_PARALLEL=2\n"
PLAN = '{"schema_version": 1, "name": "x", "description": "", "source": "", "summary": ""}'
SCHEMA = '{"type": "object", "properties": {"schema_version": {"const": 1}}}'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode() if isinstance(content, str) else content
        Path(path).write_bytes(raw)


def grouped(found: Found) -> list[tuple[str, list[str]]]:
    return [(group.kind, [source.path for source in group.sources]) for group in found.groups]


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("ollama.service", UNIT, "systemd"),
        ("ollama.service.d/10.conf", "", "systemd"),
        ("override.conf", DROP_IN, "systemd"),
        ("override.conf", "Environment=A=1\n", "systemd"),
        ("nginx.conf", "server { }\n", "nginx"),
        ("site.conf", "a b;\n", None),
        ("ollama.container", QUADLET, "quadlet"),
        ("ollama.container.d/a.conf", "[Service]\n", "quadlet"),
        ("ollama.image", "[Image]\nImage=x\n", "quadlet"),
        ("compose.yaml", "", "compose"),
        ("docker-compose.gpu.yml", "", "compose"),
        ("stack.yml", COMPOSE, "compose"),
        ("stack.yml", "a: 1\n", None),
        ("values.yaml", VALUES, "helm"),
        ("values-prod.yaml", "image: {}\n" + VALUES, "helm"),
        ("values.yaml", "replicas: 1\n", None),
        ("host.nix", MODULE, "nixos"),
        ("x.toml", PROFILE, "profile"),
        ("x.toml", "", "profile"),
        ("plan.json", PLAN, "plan"),
        ("tsconfig.json", "{}", None),
        ("schema.json", SCHEMA, "plan"),  # Its reader says that it is none.
        (STDIN, SCHEMA, None),
        (".env", "", "environment"),
        ("ollama.env", "", "environment"),
        ("/etc/environment", "", "environment"),
        ("start.sh", "", "script"),
        (".bashrc", "", "script"),
        ("Dockerfile", "FROM ollama/ollama\n", "dockerfile"),
        (STDIN, UNIT, "systemd"),
        (STDIN, DROP_IN, "systemd"),
        (STDIN, QUADLET, "quadlet"),
        (STDIN, COMPOSE, "compose"),
        (STDIN, VALUES, "helm"),
        (STDIN, MODULE, "nixos"),
        (STDIN, PROFILE, "profile"),
        (STDIN, PLAN, "plan"),
        (STDIN, "export OLLAMA_HOST=x\n", "environment"),
        (STDIN, "hello\n", None),
        (STDIN, "", None),
    ],
)
def test_a_named_file_is_of_its_kind(path: str, text: str, kind: str | None) -> None:
    assert kind_of(Source(path, text)) == kind


@pytest.mark.parametrize(
    ("path", "text"),
    [
        *(("bom.yaml", text) for text in (COMPOSE, VALUES, "apiVersion: v1\nkind: Pod\n# ollama")),
        *((STDIN, text) for text in (UNIT, QUADLET, MODULE, PROFILE, PLAN, ENV)),
        ("x.json", PLAN),
        ("ci.yml", "jobs:\n  a:\n    steps:\n    - run: ollama serve\n"),
    ],
)
def test_a_byte_order_mark_hides_no_kind(path: str, text: str) -> None:
    kind = kind_of(Source(path, text))
    assert kind is not None
    assert kind_of(Source(path, f"\ufeff{text}")) == kind


def test_a_directory_is_walked_in_order(here: Path) -> None:
    written(
        {
            "b/ollama.service": UNIT,
            "b/ollama.service.d/20.conf": DROP_IN,
            "b/ollama.service.d/10.conf": DROP_IN,
            "b/sshd.service": "[Service]\nExecStart=/usr/sbin/sshd\n",
            "a/compose.yaml": COMPOSE,
            "a/compose.override.yaml": COMPOSE,
            "a/.env": ENV,
            "c/compose.yml": "services: {web: {image: nginx}}\n",
            "c/values.yaml": VALUES,
            "c/chart.yaml": "name: x\n",
            "d/host.nix": MODULE,
            "d/pkg.nix": "{ stdenv }: stdenv.mkDerivation { }\n",
            "e/local.toml": PROFILE,
            "e/fleet.toml": PROFILE + "[hosts.a]\n",
            "e/pyproject.toml": "[project]\n",
            "e/plan.json": PLAN,
            "e/profile.schema.json": SCHEMA,
            "e/list.json": '{"schema_version": 1, "profiles": []}',
            "f/server.env": ENV,
            "f/other.env": "PORT=1\n",
            ".git/compose.yaml": COMPOSE,
            ".hidden/compose.yaml": COMPOSE,
            "node_modules/x/compose.yaml": COMPOSE,
            "README.md": "ollama serve",
            "logo.png": b"\x89PNG\0",
        }
    )
    found = discover(["."])
    assert grouped(found) == [
        ("compose", ["a/compose.yaml", "a/compose.override.yaml"]),
        (
            "systemd",
            ["b/ollama.service", "b/ollama.service.d/10.conf", "b/ollama.service.d/20.conf"],
        ),
        ("helm", ["c/values.yaml"]),
        ("nixos", ["d/host.nix"]),
        ("plan", ["e/plan.json"]),
        ("environment", ["f/server.env"]),
    ]
    assert found.profiles == ("e/local.toml",)
    assert found.problems == ()
    assert found.texts["a/compose.yaml"] == COMPOSE
    assert discover(["."]) == found


def test_a_bundle_is_read_as_it_was_written(here: Path) -> None:
    manifest = '{\n  "schema_version": 1,\n  "files": {}\n}\n'
    quadlet = "quadlet/.config/containers/systemd/ollama.container"
    written({"manifest.json": manifest, quadlet: QUADLET, ".git/ollama.container": QUADLET})
    found = discover(["."])
    assert grouped(found) == [("quadlet", [quadlet])]
    assert not found.problems


def test_an_environment_file_is_judged_with_the_unit_that_reads_it(here: Path) -> None:
    written(
        {
            "ollama.service": UNIT + "EnvironmentFile=/etc/ollama.env\n",
            "ollama.env": ENV,
            "compose.yaml": COMPOSE,
            ".env": ENV,
        }
    )
    assert [kind for kind, _ in grouped(discover(["."]))] == ["compose", "systemd"]
    assert grouped(discover(["ollama.env", ".env"])) == [
        ("environment", ["ollama.env"]),
        ("environment", [".env"]),
    ]


def test_a_default_compose_file_brings_its_override(here: Path) -> None:
    written({"compose.yaml": COMPOSE, "compose.override.yml": COMPOSE, "other.yaml": COMPOSE})
    assert grouped(discover(["compose.yaml"])) == [
        ("compose", ["compose.yaml", "compose.override.yml"])
    ]
    assert grouped(discover(["compose.override.yml", "compose.yaml", "other.yaml"])) == [
        ("compose", ["compose.yaml", "compose.override.yml"]),
        ("compose", ["other.yaml"]),
    ]


def test_units_of_one_system_belong_together(here: Path) -> None:
    written(
        {
            "root/usr/lib/systemd/system/ollama.service": UNIT,
            "root/etc/systemd/system/ollama.service.d/override.conf": DROP_IN,
            "other/ollama.service": UNIT,
        }
    )
    assert grouped(discover(["root", "other"])) == [
        (
            "systemd",
            [
                "root/etc/systemd/system/ollama.service.d/override.conf",
                "root/usr/lib/systemd/system/ollama.service",
            ],
        ),
        ("systemd", ["other/ollama.service"]),
    ]


def test_a_directory_of_drop_ins_may_be_named(here: Path) -> None:
    written({"ollama.service.d/a.conf": DROP_IN, "ollama.service.d/.a.conf.swp": "x"})
    assert grouped(discover(["ollama.service.d"])) == [("systemd", ["ollama.service.d/a.conf"])]


def test_standard_input_is_read_under_its_name() -> None:
    found = discover([STDIN], stdin=COMPOSE, stdin_name="compose.yaml")
    assert grouped(found) == [("compose", ["compose.yaml"])]
    assert grouped(discover([STDIN], stdin=UNIT)) == [("systemd", [STDIN])]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("gone.service", None, "there is no such file"),
        ("no/such/dir.yaml", None, "there is no such file"),
        ("nul\0name", None, "cannot be read"),
        ("notes.txt", "hello\n", "is none of the files that are checked"),
        ("x.yaml", "a: 1\n", "is none of the files that are checked"),
        ("x.service", b"\0\0\0", "is no text: it has a NUL byte"),
        ("x.service", b"[Service]\n\xff", "is not UTF-8: byte 10"),
        ("x.yaml", b"a" * (LARGEST + 1), "has more than 5 MiB"),
    ],
)
def test_a_named_file_that_is_none_of_ours_is_a_problem(
    here: Path, path: str, content: str | bytes | None, message: str
) -> None:
    if content is not None:
        written({path: content})
    found = discover([path])
    (problem,) = found.problems
    assert message in problem.message
    assert problem.hint
    assert problem.source == path
    assert found.groups == ()


def test_a_pipe_is_refused_and_not_waited_for(here: Path) -> None:
    os.mkfifo("ollama.service")
    (problem,) = discover(["ollama.service"]).problems
    assert problem.message == "is no regular file, and might never end"
    assert problem.hint == "name a file, or `-` for standard input"
    (gap,) = discover(["."]).gaps
    assert (gap.file, gap.reason) == ("ollama.service", problem.message)


def test_a_directory_without_ollama_is_told(here: Path) -> None:
    written({"a/nginx.service": "[Service]\nExecStart=/bin/nginx\n", "b/ollama.service": UNIT})
    assert discover(["a", "b"]).empty == ("a",)


def test_a_directory_of_nix_is_read_past_flakes_and_what_is_no_module(here: Path) -> None:
    require("nix-instantiate")
    client = '{ services.paperless.settings.URL = "http://ollama:11434"; }\n'
    written(
        {
            "flake.nix": "{ outputs = _: { x.services.ollama.enable = true; }; }\n",
            "client.nix": client,
            "box.nix": "{ virtualisation.oci-containers.containers.o.image = "
            '"ollama/ollama:0.32.15"; }\n',
            "host.nix": MODULE,
        }
    )
    seen = views(discover(["."]), Context(load_catalogue()))
    assert seen.problems == []
    assert [view.place.file for view in seen.views] == ["box.nix", "host.nix"]


def test_values_that_set_only_variables_are_the_chart_s_where_somebody_says_so(here: Path) -> None:
    text = 'extraEnv:\n  - name: OLLAMA_DEBUG\n    value: "1"\n'
    written({"env.yaml": text})
    assert grouped(discover(["env.yaml"])) == [("helm", ["env.yaml"])]
    assert discover(["."]).groups == ()


def test_in_a_directory_only_ollama_s_own_files_are_missed(here: Path) -> None:
    written({"ollama.service": b"\xff", "other.service": b"\xff", "big.yaml": b"\0"})
    assert [problem.source for problem in discover(["."]).problems] == ["ollama.service"]


def test_views_of_all_groups_and_the_problems_of_some(here: Path) -> None:
    written(
        {
            "ollama.service": UNIT,
            "ollama.service.d/x.conf": DROP_IN,
            "compose.yaml": COMPOSE,
            "bad/compose.yaml": "services:\n\tollama:\n",
            "web/compose.yaml": "services: {web: {image: nginx}}\n",
        }
    )
    context = Context(load_catalogue(), read=read_beside)
    seen = views(discover(["."]), context)
    assert [(view.phrases.kind, view.name) for view in seen.views] == [
        ("compose", "ollama"),
        ("systemd", "ollama.service"),
    ]
    assert [(p.source, p.where) for p in seen.problems] == [("bad/compose.yaml", "line 2")]
    seen = views(discover(["web/compose.yaml", "gone.env"]), context)
    assert seen.views == []
    assert [(p.source, p.message) for p in seen.problems] == [("gone.env", "there is no such file")]
    assert [(gap.file, gap.reason) for gap in seen.not_judged] == [
        ("web/compose.yaml", "no server of Ollama is recognised in it")
    ]


def test_a_part_of_a_module_is_not_judged_wherever_it_lies(here: Path) -> None:
    require("nix-instantiate")
    written(
        {
            "part.nix": "{ hostwright, lib }: { services.ollama.host = hostwright.host; }\n",
            "broken.nix": "{ services.ollama.enable = ; }\n",
        }
    )
    context = Context(load_catalogue())
    seen = views(discover(["."]), context)
    assert [problem.source for problem in seen.problems] == ["broken.nix"]
    assert [gap.file for gap in seen.not_judged] == ["part.nix"]
    assert views(discover(["part.nix"]), context).not_judged == seen.not_judged


def test_files_beside_are_read_or_are_not_there(here: Path) -> None:
    written({"a.env": "A=1\n", "b.env": b"\xff"})
    assert read_beside("a.env") == "A=1\n"
    assert read_beside("b.env") is None
    assert read_beside("c.env") is None


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("main.bicep", "image: 'ollama/ollama'\n", True),
        ("compose.yml.bak", "services: {ollama: {image: ollama/ollama}}\n", True),
        ("Dockerfile", "FROM ubuntu\nRUN pip install ollama\n", False),
    ],
)
def test_what_nobody_reads_is_named(name: str, text: str, named: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "ollama.env").write_text("OLLAMA_KEEP_ALIVE=5m\n", encoding="utf-8")
    found = discover([str(tmp_path)])
    assert [Path(gap.file).name for gap in found.gaps] == [name] * named


@pytest.mark.parametrize(
    ("env", "groups"),
    [
        ("COMPOSE_FILE=compose.yaml:gpu/compose.yaml\n", [["compose.yaml", "gpu/compose.yaml"]]),
        (
            'COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE="compose.yaml,gpu/compose.yaml" # both\n',
            [["compose.yaml", "gpu/compose.yaml"]],
        ),
        ("COMPOSE_FILE=compose.yaml:none.yaml\n", [["compose.yaml"], ["gpu/compose.yaml"]]),
        ("# nothing\n", [["compose.yaml"], ["gpu/compose.yaml"]]),
    ],
)
def test_a_project_may_list_its_files(env: str, groups: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "gpu").mkdir()
    for name in ("compose.yaml", "gpu/compose.yaml"):
        text = "services: {ollama: {image: ollama/ollama}}\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / ".env").write_text(env, encoding="utf-8")
    found = discover([str(tmp_path)])
    assert [
        [str(Path(s.path).relative_to(tmp_path)) for s in group.sources] for group in found.groups
    ] == groups


def test_what_a_judged_file_takes_in_is_not_passed_over(tmp_path: Path) -> None:
    role = tmp_path / "roles" / "llm"
    for name, text in {
        "defaults/main.yml": "ollama_image: ollama/ollama:0.32.15\n",
        "tasks/main.yml": "- docker_container: {name: llm, image: '{{ ollama_image }}'}\n",
        "llm.bicep": "image: ollama/ollama:0.32.15\n",
    }.items():
        (role / name).parent.mkdir(parents=True, exist_ok=True)
        (role / name).write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path)]))
    assert [Path(gap.file).name for gap in report.not_judged] == ["llm.bicep"]
