"""Scripts: command lines with their lines, and what they say of a server."""

from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.readers.base import Context, Source
from generator.readers.helm.given import values_set
from generator.readers.script.read import read
from generator.readers.syntax.options import Argument
from generator.readers.syntax.script import lines
from generator.readers.syntax.yaml_tree import Items, Node, Table
from generator.view import Place, View
from tests.effort import cpu_seconds
from tests.texts import checked


def words(text: str) -> list[list[str]]:
    return [[word.text for word in line.words] for line in lines(text, "x.sh")]


def views(text: str, name: str = "x.sh") -> tuple[View, ...]:
    return read((Source(name, text),), Context(load_catalogue()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a \'b c\' "d\\"e" f\\ g # h', [["a", "b c", 'd"e', "f g"]]),
        ("a && b || c; d | e &", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("a \\\n  b\nc", [["a", "b"], ["c"]]),
        ("X=1\na $X ${X} ${X:-2} ${Y:-2}", [[], ["a", "1", "1", "1", "2"]]),
        ("X='1 2'\na $X \"$X\"", [[], ["a", "1", "2", "1 2"]]),
        ("X=(1 '2 3')\na ${X[@]}", [["a", "1", "2 3"]]),
        ("X := 1\n\ta $(X)", [[], ["a", "1"]]),
        ('x := "1"\na {{x}} {{ y }}', [[], ["a", "1", "{{ y }}"]]),
        ("a $(b c) `d`", [["a", "$(b c)", "`d`"], ["b", "c"], ["d"]]),
        ("a > b 2>&1 < c", [["a"]]),
        ("sh -c 'a b; c d'", [["sh", "-c", "a b; c d"], ["a", "b"], ["c", "d"]]),
        ("cat <<X\na b\nX\nc", [["cat"], ["c"]]),
        ("bash <<'X'\na b\nX\nc", [["bash"], ["a", "b"], ["c"]]),
        ("it's", [["it's"]]),
    ],
)
def test_a_script_becomes_command_lines(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


def test_words_know_their_lines() -> None:
    text = "X=1\n\na \\\n  b\ncat <<X > f\none\ntwo\nX\nc\n"
    found = [word.place.line for line in lines(text, "x.sh") for word in line.words]
    assert found == [3, 4, 5, 9]
    (document,) = [one for line in lines(text, "x.sh") for one in line.documents]
    assert (document.target, document.text, document.line) == ("f", "one\ntwo\n", 6)


def test_a_container_is_read_with_its_options() -> None:
    (view,) = views(
        "sudo docker run --gpus=all -dp 127.0.0.1:11434:11434 -v $PWD:/root/.ollama \\\n"
        "  --memory 8g -e OLLAMA_DEBUG=1 ollama/ollama:0.9.0 serve\n"
    )
    box = view.container
    assert box is not None
    assert (box.image, box.ports[0][0], box.gpu_access) == (
        "ollama/ollama:0.9.0",
        "127.0.0.1:11434:11434",
        "reservation",
    )
    assert str(view.release) == "0.9.0"
    assert [(v.name, v.value, v.place.line) for v in view.variables] == [("OLLAMA_DEBUG", "1", 2)]
    assert [bound.value for bound in view.bounds] == [8 * 2**30]


@pytest.mark.parametrize(
    "text",
    [
        "docker run postgres:16",
        "docker compose run ollama",
        "docker volume create ollama",
        "docker pull ollama/ollama",
        "echo docker run ollama/ollama",
        "# docker run ollama/ollama",
        "docker run $IMAGE",
        "",
    ],
)
def test_what_runs_no_server_has_no_view(text: str) -> None:
    assert views(text) == ()


def test_variables_reach_what_the_script_starts() -> None:
    (shell,) = views("export OLLAMA_DEBUG=1\n")
    (server,) = views("export OLLAMA_DEBUG=1\nOLLAMA_HOST=0.0.0.0 ollama serve\n")
    (client,) = views("OLLAMA_HOST=box:1 ollama pull llama3.1:8b\n")
    assert [v.reach for v in shell.variables] == ["server"]
    assert [v.reach for v in server.variables] == ["server", "server"]
    assert [v.reach for v in client.variables] == ["client"]
    assert [model.name for model in client.models] == ["llama3.1:8b"]


@pytest.mark.parametrize(
    "unit",
    [
        "docker run -e A=1 \\\n",
        "$(",
        "cat <<X\n",
        "'\"",
        "${",
        "`",
        "{{",
        "a=(",
        "\\",
        "<<",
        "$((\n",
    ],
)
def test_reading_is_linear(unit: str) -> None:
    _, less = cpu_seconds(lambda: list(lines(unit * 2_000, "x.sh")))
    _, more = cpu_seconds(lambda: list(lines(unit * 16_000, "x.sh")))
    assert more < 20 * less + 0.2


@pytest.mark.parametrize(
    ("text", "reaches"),
    [
        ("export OLLAMA_HOST=a\nexit\nollama serve &\nexport OLLAMA_HOST=b", ["client"] * 2),
        ("export OLLAMA_HOST=a\nollama serve", ["server"]),
        ("export OLLAMA_HOST=127.0.0.1", ["server"]),
        ("export OLLAMA_HOST=a\nollama list", ["shell"]),
        ("export OLLAMA_HOST=a\nsystemctl restart ollama", ["shell"]),
        ('BIN=$HOME/bin/ollama\nexport OLLAMA_HOST=a\nexec "$BIN" serve', ["server"]),
        ("export OLLAMA_HOST=a\n$HOME/opt/ollama serve", ["server"]),
        ("export OLLAMA_MODEL=a\nexport OLLAMA_DEBUG=1\n./app", ["client", "server"]),
        (
            "export OLLAMA_DEBUG=1\ntee ollama.service <<X\n[Service]\nEnvironment=OLLAMA_DEBUG=1",
            ["client"],
        ),
    ],
)
def test_an_export_is_for_what_comes_after_it(text: str, reaches: list[str]) -> None:
    assert [variable.reach for variable in views(text)[0].variables] == reaches


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("echo 'export OLLAMA_KEEP_ALIVE=24h' >> ~/.bashrc", "info"),
        ("echo export OLLAMA_KEEP_ALIVE=24h | sudo tee -a /etc/profile.d/ollama.sh", "info"),
        (
            "echo 'export OLLAMA_KEEP_ALIVE=24h' >> ~/.zshrc\nbrew services restart ollama",
            "warning",
        ),
        ("printf 'OLLAMA_KEEP_ALIVE=24h' | tee -a /etc/environment", "warning"),
        ("echo 'export OLLAMA_KEEP_ALIVE=24h'", ""),
        ("echo 'export OLLAMA_KEEP_ALIVE=24h' >> notes", ""),
    ],
)
def test_what_is_added_to_the_files_of_a_shell(line: str, severity: str, tmp_path: Path) -> None:
    path = tmp_path / "setup.sh"
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    report = check(CheckRequest(paths=[str(path)], select=["HW118"]))
    told = [(p.finding.severity, p.place.line) for p in report.findings]
    assert told == ([(severity, 2)] if severity else [])


@pytest.mark.parametrize(
    "line",
    [
        "sudo -u ollama OLLAMA_DEBUG=1 ollama serve",
        "sudo -u ollama env OLLAMA_DEBUG=1 /usr/local/bin/ollama serve",
        "systemd-run --setenv=OLLAMA_DEBUG=1 ollama serve",
        "sudo systemctl set-environment OLLAMA_DEBUG=1",
        "tmux new-session -d 'OLLAMA_DEBUG=1 ollama serve'",
    ],
)
def test_what_is_handed_to_the_server_on_its_way(line: str) -> None:
    (view,) = views(f"{line}\n")
    assert [(v.name, v.value, v.reach) for v in view.variables] == [("OLLAMA_DEBUG", "1", "server")]


def test_what_stands_in_front_of_systemctl_stays_there() -> None:
    (view,) = views("OLLAMA_DEBUG=1 systemctl restart ollama\n")
    assert [(v.name, v.reach) for v in view.variables] == [("OLLAMA_DEBUG", "shell")]


def test_launchd_hands_variables_to_the_app() -> None:
    (view,) = views('launchctl setenv OLLAMA_KEEP_ALIVE "1d"\nlaunchctl setenv\n')
    assert [(v.name, v.value, v.reach) for v in view.variables] == [
        ("OLLAMA_KEEP_ALIVE", "1d", "server")
    ]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("helm install llm x/ollama-web --set a=$B", "helm"),
        ("helm upgrade --install ollama x/y --set-string=a=b", "helm"),
        ("sudo kubectl -n ai set env deploy/ollama OLLAMA_DEBUG=1", "kubectl"),
        ("helm install ollama x/y --values a.yaml", "`a.yaml`"),
        ("helm install app x/y --set a=b", ""),
        ("kubectl get deploy/ollama", ""),
        ("echo helm install ollama x/y --set a=b", ""),
    ],
)
def test_what_sets_something_in_a_cluster_is_named(line: str, part: str) -> None:
    (seen,) = views(f"ollama pull a\n{line}\n")
    assert [(gap.part, gap.line) for gap in seen.not_judged] == ([(part, 2)] if part else [])


CHART = "helm upgrade --install llm otwld/ollama"
ENTRY = "extraEnv[0].name=OLLAMA_KEEP_ALIVE"


@pytest.mark.parametrize(
    "options",
    [
        f"--set {ENTRY} --set extraEnv[0].value=2d",
        f"--set '{ENTRY},extraEnv[0].value=2d' --set ollama.gpu.enabled=true",
        f"--set={ENTRY} \\\n  --set-string=extraEnv[0].value=2d",
        '--set-json \'extraEnv=[{"name": "OLLAMA_KEEP_ALIVE", "value": "2d"}]\'',
        '--set-json=extraEnv=\'[{"name": "OLLAMA_KEEP_ALIVE", "value": "2d"}]\'',
    ],
)
def test_values_that_a_command_gives_the_chart(options: str) -> None:
    (seen,) = views(f"{CHART} {options}\n")
    line = 1 + options.count("\n")
    assert [(v.name, v.value, v.place.line) for v in seen.variables] == [
        ("OLLAMA_KEEP_ALIVE", "2d", line)
    ]
    assert seen.not_judged == ()


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (("--set", "a.b=1,c={x,2}"), {"a": {"b": "1"}, "c": ["x", "2"]}),
        (("--set", r"a\.b=true"), {"a.b": "true"}),
        (("--set-string", "a=1"), {"a": "1"}),
        (("--set", "a[1].b=x"), {"a": ["", {"b": "x"}]}),
        (("--set", "a=1", "--set", "a.b=2"), {"a": {"b": "2"}}),
        (("--set", "a=$X,b=1"), {"a": "", "b": "1"}),
        (("--set-json", "a={"), {}),
        (("--set", "[0]=1", "--set", "a[9999]=1", "--set"), {}),
    ],
)
def test_values_are_read_as_helm_does(options: tuple[str, ...], values: dict[str, object]) -> None:
    words = [Argument(text, Place("a.sh", 1), lambda _: "") for text in options]
    found = values_set(words)
    assert (plain(found) if found else {}) == values


VALUES = "extraEnv: [{name: OLLAMA_KEEP_ALIVE, value: 1h}]\nollama: {gpu: {enabled: true}}\n"


@pytest.mark.parametrize(
    ("options", "value", "file"),
    [
        ("-f values.yaml", "1h", "values.yaml"),
        ("--values=values.yaml --set extraEnv[0].value=2h", "2h", "x.sh"),
        ("--set extraEnv[0].value=2h --values deploy/over.yaml", "2h", "x.sh"),
        ("-f values.yaml,deploy/over.yaml", "3h", "deploy/over.yaml"),
        ('-f "$ROOT/values.yaml"', "1h", "values.yaml"),
    ],
)
def test_files_of_values_lie_below_those_that_are_set(options: str, value: str, file: str) -> None:
    over = VALUES.replace("1h", "3h")
    beside = {"values.yaml": VALUES, "deploy/over.yaml": over}
    source = Source("x.sh", f"{CHART} {options}\n")
    (seen,) = read((source,), Context(load_catalogue(), read=beside.get))
    assert [(v.value, v.place.file) for v in seen.variables] == [(value, file)]
    assert seen.not_judged == ()


def test_each_release_of_a_script_keeps_its_own_values() -> None:
    release = f"{CHART} -f - <<'EOF'\n{VALUES}EOF\n"
    found = [v for seen in views(release * 3) for v in seen.variables]
    assert [(v.value, v.place.line) for v in found] == [("1h", 2), ("1h", 6), ("1h", 10)]


def test_values_that_the_script_writes_are_judged_with_its_command() -> None:
    text = f"cat > v.yaml <<'EOF'\n{VALUES}EOF\n{CHART} -f v.yaml --set ollama.gpu.enabled=false\n"
    (seen,) = views(text)
    assert [(v.value, v.place.line) for v in seen.variables] == [("1h", 2)]
    assert seen.acceleration == "cpu"
    (piped,) = views(f"{CHART} -f - <<EOF\n{VALUES}EOF\n")
    assert [(v.value, v.place.line) for v in piped.variables] == [("1h", 2)]


def test_values_that_are_not_at_hand_are_named() -> None:
    (seen,) = views(f"{CHART} -f gone.yaml --set ollama.gpu.enabled=true\n")
    assert [gap.part for gap in seen.not_judged] == ["`gone.yaml`"]


def plain(node: Node) -> object:
    """Return a node as plain data, every value as its text."""
    if isinstance(node, Table):
        return {key: plain(value) for key, value in node.entries.items()}
    return [plain(item) for item in node.items] if isinstance(node, Items) else node.text


@pytest.mark.parametrize(
    ("lines", "caught"),
    [
        (("export {}1d", "ollama serve &", "{}24h ollama serve"), [2]),
        (("{}1d ollama serve &", "{}24h ollama serve"), [2]),
        (("export {}1d", "ollama serve &", "export {}24h", "ollama serve"), [2]),
        (("export {}1d", "ollama serve &", "{}2d ollama serve"), [2, 4]),
        (("export {}1d", "{}24h ollama serve"), []),
        (("export {}24h", "ollama serve &", "{}12h ollama serve"), []),
    ],
)
def test_each_server_of_a_script_has_variables_of_its_own(
    lines: tuple[str, ...], caught: list[int], tmp_path: Path
) -> None:
    text = "\n".join(("#!/bin/sh", *lines, "")).replace("{}", "OLLAMA_KEEP_ALIVE=")
    found = checked(tmp_path, {"run.sh": text}).findings
    assert [one.place.line for one in found if one.finding.rule == "HW109"] == caught


@pytest.mark.parametrize(
    ("name", "text", "rules"),
    [
        ("etc/profile.d/o.sh", "OLLAMA_HOST=gpu:11434\n", {"HW128"}),
        (".bashrc", "alias l=ls\nOLLAMA_HOST=gpu:11434\n", {"HW128"}),
        (".bashrc", "OLLAMA_HOST=gpu:11434\nexport OLLAMA_HOST\n", set()),
        (".bashrc", "OLLAMA_HOST=gpu:11434 ollama list\n", set()),
        (".bashrc", 'OLLAMA_HOST=gpu:11434\nalias o="curl $OLLAMA_HOST"\n', set()),
        (".zshrc", "set -a\nOLLAMA_HOST=gpu:11434\nset +a\n", set()),
        ("run.sh", "OLLAMA_HOST=gpu:11434\nollama list\n", set()),
    ],
)
def test_a_login_shell_hands_on_what_it_exports(
    name: str, text: str, rules: set[str], tmp_path: Path
) -> None:
    found = {placed.finding.rule for placed in checked(tmp_path, {name: text}).findings}
    assert found - {"HW118"} == rules


@pytest.mark.parametrize(
    ("command", "values", "release"),
    [
        ("run --nv --env A=1,OLLAMA_DEBUG=2 ollama.sif serve", {"A": "1", "OLLAMA_DEBUG": "2"}, ""),
        ("run --env=OLLAMA_DEBUG=1 docker://ollama/ollama:0.5.7", {"OLLAMA_DEBUG": "1"}, "0.5.7"),
        ("exec -B /m:/m ollama_0.9.sif ollama serve", {}, ""),
        ("instance run --env A=1 docker://ollama/ollama:0.9.2 one", {"A": "1"}, "0.9.2"),
    ],
)
def test_apptainer_hands_an_image_its_variables(
    command: str, values: dict[str, str], release: str
) -> None:
    (seen,) = views(f"export APPTAINERENV_OLLAMA_KEEP_ALIVE=1h\napptainer {command} &\n")
    found = {v.name: v.value for v in seen.variables if v.reach == "server"}
    assert found == {"OLLAMA_KEEP_ALIVE": "1h", **values}
    assert (str(seen.release) if seen.release_told else "") == release


def test_a_client_in_apptainer_starts_no_server() -> None:
    (seen,) = views("apptainer exec --env OLLAMA_HOST=gpu ollama.sif ollama run qwen3:8b\n")
    assert [(v.name, v.value, v.reach) for v in seen.variables] == [
        ("OLLAMA_HOST", "gpu", "client")
    ]
    assert [model.name for model in seen.models] == ["qwen3:8b"]


@pytest.mark.parametrize(
    ("address", "reach"),
    [("node7:11434", "client"), ("http://gpu.lan:11434/", "client"), ("[::]", "server"),
     ("localhost:8080", "server"), ("10.0.0.5", "server")],
)  # fmt: skip
def test_the_name_of_another_machine_is_no_address_to_listen_on(address: str, reach: str) -> None:
    (seen,) = views(f"export OLLAMA_HOST={address}\n./ask.py\n")
    assert [v.reach for v in seen.variables] == [reach]


RUN = "docker run -d --name o -v m:/root/.ollama ollama/ollama:0.32.15"


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        (f"{RUN}\ndocker exec o ollama pull qwen3:8b\ndocker stop o\ndocker rm o\n", True),
        (f"ID=$({RUN})\ndocker rm -f o\n", True),
        (f"docker rm -f o\n{RUN}\n", False),
        (f"start() {{\n{RUN}\n}}\nstop() {{\ndocker rm o\n}}\n", False),
        (f"case $1 in start) {RUN};;\nstop) docker rm o;; esac\n", False),
        (f"{RUN}\ndocker rm other\n# docker rm o\n", False),
    ],
)
def test_a_container_that_a_script_removes_again_needs_no_restart(
    text: str, passing: bool, tmp_path: Path
) -> None:
    found = checked(tmp_path, {"run.sh": f"#!/bin/sh\n{text}"}).findings
    assert ("HW513" not in [p.finding.rule for p in found]) is passing


def test_what_a_script_keeps_for_a_fork_is_the_forks(tmp_path: Path) -> None:
    ours = 'ARGS=("OLLAMA_NUM_GPU=999" "OLLAMA_HOST=0.0.0.0")\n'
    forks = ours.replace("ARGS", "INTEL").replace("(", '("BIGDL_LLM_XMX_DISABLED=0" ')
    found = checked(tmp_path, {"env.sh": f"#!/bin/sh\n{ours}{forks}"}).findings
    assert [(p.finding.rule, p.place.line) for p in found if p.finding.rule == "HW101"] == [
        ("HW101", 2)
    ]
