"""The scripts of a bundle, run on a host that is a directory and some stubs."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.errors import RenderError
from generator.targets import all_files, load_target
from generator.targets.base import File
from generator.targets.bundle import scripts
from generator.targets.systemd import DROP_INS
from tests.host import OLLAMA, RECORD_NAME, UNITS, Host, put
from tests.hostile import HOSTILE, texts
from tests.plans import PROFILES, RELEASES, plan, shipped
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.plan import Plan

Data = dict[str, Any]
FULL: Data = {"service": {"full_unit": True}}
LARGE: Data = {
    "host": {"gpus": [{"name": "Quadro P4000", "memory": "8GiB"}] * 2},
    "ollama": {"models_dir": "/srv/models", "keep_alive": "1h", "env": {"A": "1"}},
    "resources": {"memory_max": "7G"},
    "threads": {"count": 2},
    "models": [{"name": "a:1b", "preload": True, "parameters": {"num_ctx": 4096}}],
    "service": {"resume_fix": True},
}
SICK: Data = {**LARGE, "ollama": {"env": {"SICK": "1"}}}
SICK_FULL: Data = {**FULL, "ollama": {"env": {"SICK": "1"}}}
JOBS = ("ollama-pull", "ollama-create", "ollama-warmup", "ollama-resume")
JOB_UNITS = {f"{job}.service" for job in JOBS}
LIMITS = f"{UNITS}/ollama.service.d/20-limits.conf"
RECORD = 'echo "systemctl $*" >>"$state/calls"'
RESTART = "systemctl restart ollama.service"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def rendered(decided: Plan) -> dict[str, str]:
    return {file.path: file.text for file in load_target("systemd").render(decided)}


def in_place(host: Host, data: Data) -> dict[str, str]:
    """Return what must lie on the host after `data`, beside what is not ours."""
    return rendered(host.plan(data))


def installed(host: Host) -> dict[str, str]:
    return {f"{UNITS}/ollama.service": host.installed}


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# ── the text of the scripts ───────────────────────────────────────────────────────────────────


BESIDE = {
    "models": [{"name": "a:1b"}],
    "cache": {},
    "scale": {
        "periods": [
            {"name": "day", "begins": ["07:00"], "cpu_weight": 100},
            {"name": "night", "begins": ["19:00"], "cpu_weight": 20},
        ]
    },
}


def plans() -> Iterator[Plan]:
    yield from (shipped(name, version=release) for name in PROFILES for release in RELEASES)
    yield from (plan(LARGE), plan({}), plan(FULL), plan(BESIDE))


def test_the_scripts_are_posix_shell_and_executable() -> None:
    for file in scripts():
        assert file.executable
        if file.path.endswith(".py"):
            continue
        done = subprocess.run(
            ["sh", "-n"], input=file.text, encoding="utf-8", timeout=20, check=False
        )
        assert done.returncode == 0


def test_the_scripts_are_the_same_for_every_host() -> None:
    for decided in plans():
        files = all_files("systemd", decided)
        # What watches a host has a program of its own, in a folder of its own.
        own = (file for file in files if file.executable and "/" not in file.path)
        assert tuple(own) == scripts()


def test_every_file_has_a_place_that_the_scripts_know(host: Host) -> None:
    # Of several servers the remove.sh of their own bundle knows, and apply.sh asks for it.
    alone = [decided for decided in plans() if len(decided.services) == 1]
    texts = {path: text for decided in alone for path, text in rendered(decided).items()}
    for path, text in texts.items():
        (host.root / path).parent.mkdir(parents=True, exist_ok=True)
        (host.root / path).write_text(text, encoding="utf-8")
    host.remove({})
    # Nobody has noted that nobody edited them.
    assert set(host.files) == {f"{path}.edited-1" for path in texts}


def test_the_drop_ins_are_in_order() -> None:
    drop_ins = [path for path in rendered(plan(LARGE)) if ".service.d/" in path]
    names = [name.format("ollama") for name in DROP_INS]
    assert [f"{UNITS}/ollama.service.d/{name}.conf" for name in names] == drop_ins


@pytest.mark.parametrize(
    ("data", "seconds"),
    [({}, 60), (LARGE, 90), ({**LARGE, "gpu": {"wait_seconds": 0}}, 60)],
)
def test_the_wait_is_longer_than_the_unit_waits_for_its_gpus(data: Data, seconds: int) -> None:
    files = all_files("systemd", plan(data))
    text = next(file.text for file in files if file.path == "bundle.conf")
    assert text.endswith(f"\nwait\t{seconds}\n")


# ── apply ─────────────────────────────────────────────────────────────────────────────────────


def test_apply_puts_the_bundle_in_place_and_starts_it(host: Host) -> None:
    host.verifies()
    said = host.apply(LARGE)
    assert host.files == installed(host) | in_place(host, LARGE)
    assert host.calls == [
        "id -u ollama",
        "modprobe -a nvidia_uvm",
        "systemd-tmpfiles --create hostwright-ollama.conf",
        "systemctl daemon-reload",
        *(f"systemctl enable {job}.service" for job in JOBS),
        RESTART,
    ]
    assert host.enabled == {"ollama.service", *JOB_UNITS}
    assert "The server answers at 127.0.0.1:11434." in said
    assert list(host.scratch.iterdir()) == []


def test_files_are_for_everybody_to_read(host: Host) -> None:
    umask = os.umask(0o077)
    try:
        host.apply(LARGE)
    finally:
        os.umask(umask)
    assert (host.root / LIMITS).stat().st_mode & 0o777 == 0o644
    assert (host.root / LIMITS).parent.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("data", [LARGE, FULL, {}])
def test_apply_twice_is_apply_once(data: Data, host: Host) -> None:
    host.verifies()
    host.apply(data)
    once = host.everything
    assert host.apply(data) == "Nothing to change.\n"
    assert host.everything == once
    assert [call for call in host.calls if not call.startswith("id ")] == []


def test_the_client_keeps_no_key_in_the_home_of_root(host: Host) -> None:
    done = host.run("sh", host.bundle({}) / "apply.sh", HOME=str(host.folder))
    assert done.returncode == 0
    address, home, verb = host.clients[-1].split()
    assert (address, verb) == ("127.0.0.1:11434", "list")
    assert home.startswith(f"{host.scratch}/")


def test_a_server_that_a_later_drop_in_has_moved_is_asked_there(host: Host) -> None:
    text = "PATH=/bin OLLAMA_HOST=127.0.0.1:11434 A=b OLLAMA_HOST=10.0.0.7:80\n"
    (host.state / "environment").write_text(text, encoding="utf-8")
    host.apply({})
    assert host.clients[-1].startswith("10.0.0.7:80 ")


OVERRIDE = """[Service]
Environment=PATH=/bin "OLLAMA_KEEP_ALIVE=5m" OLLAMA_MODELS=/srv/models
# /etc/of/nothing.conf
MemoryMax=1G
CPUQuota=100%
"""


@pytest.mark.parametrize("name", ["override.conf", "05-early.conf"])
def test_settings_that_a_later_file_wins_over_are_named(name: str, host: Host) -> None:
    put((File(f"{UNITS}/ollama.service.d/{name}", OVERRIDE),), host.root)
    override = host.root / UNITS / "ollama.service.d" / name
    said = [
        f"MemoryMax of this bundle has no effect: {override}:4 says otherwise.",
        f"OLLAMA_KEEP_ALIVE of this bundle has no effect: {override}:2 says otherwise.",
    ]
    # Once put in place, and again where nothing is to be changed.
    for _ in range(2):
        done = host.run("sh", host.bundle(LARGE) / "apply.sh")
        wins = name == "override.conf"
        assert (done.returncode, done.stderr.splitlines()) == (4 if wins else 0, wins * said)
        assert host.files.items() > in_place(host, LARGE).items()
    done = host.run("sh", host.bundle(LARGE) / "apply.sh", "--dry-run")
    assert done.returncode == 0


def test_an_environment_that_a_later_file_empties(host: Host) -> None:
    path = f"{UNITS}/ollama.service.d/override.conf"
    again = 'Environment="OLLAMA_KEEP_ALIVE=1h"\n'
    put((File(path, f"[Service]\nEnvironment=\n{again}"),), host.root)
    done = host.run("sh", host.bundle(LARGE) / "apply.sh")
    names = {line.partition(" ")[0] for line in done.stderr.splitlines()}
    assert {"OLLAMA_HOST", "OLLAMA_MODELS", "LLAMA_ARG_THREADS"} <= names
    assert not {"OLLAMA_KEEP_ALIVE", "MemoryMax"} & names


def test_a_variable_of_another_name_says_nothing_of_the_address(host: Host) -> None:
    # As systemctl prints it: quotes where a value has a space, and an escape before a quote.
    text = (
        '"A=b OLLAMA_HOST=1.1.1.1:1" OLLAMA_HOST=10.0.0.7:80 "B=x \\" OLLAMA_HOST=9.9.9.9:9" C=d\n'
    )
    (host.state / "environment").write_text(text, encoding="utf-8")
    host.apply({})
    assert host.clients[-1].startswith("10.0.0.7:80 ")
    (host.state / "environment").write_text('"OLLAMA_HOST=[::1]:80"\n', encoding="utf-8")
    host.apply({"ollama": {"env": {"A": "b"}}})
    assert host.clients[-1].startswith("[::1]:80 ")


@pytest.mark.parametrize("path", [LIMITS, f"{UNITS}/ollama-pull.service", "etc/hostwright/M*"])
@pytest.mark.parametrize("deed", ["edit", "remove"])
def test_what_was_edited_or_removed_comes_back(path: str, deed: str, host: Host) -> None:
    host.apply(LARGE)
    file = next(host.root.glob(path))
    kept = {}
    if deed == "remove":
        file.unlink()
    else:
        file.write_text(file.read_text(encoding="utf-8") + "Nice=3\n", encoding="utf-8")
        kept = {f"{file.relative_to(host.root)}.edited-1": file.read_text(encoding="utf-8")}
    said = host.apply(LARGE)
    assert host.files == installed(host) | in_place(host, LARGE) | kept
    assert f"wrote {file}" in said
    assert said.count("wrote ") == 1


def test_only_what_changed_is_started_again(host: Host) -> None:
    host.apply(LARGE)
    changed = {**LARGE, "models": [*LARGE["models"], {"name": "b:1b"}]}
    host.apply(changed)
    assert host.files == installed(host) | in_place(host, changed)
    systemctl = [call for call in host.calls if call.startswith("systemctl ")]
    assert systemctl == [
        "systemctl daemon-reload",
        "systemctl reenable ollama-pull.service",
        "systemctl --no-block restart ollama-pull.service",
    ]


def test_another_modelfile_runs_the_jobs_that_use_it(host: Host) -> None:
    host.apply(LARGE)
    model = {"name": "a:1b", "preload": True, "parameters": {"num_ctx": 8192}}
    host.apply({**LARGE, "models": [model]})
    started = [call for call in host.calls if "restart" in call]
    assert started == [
        "systemctl --no-block restart ollama-create.service",
        "systemctl --no-block restart ollama-warmup.service",
    ]


def test_other_comments_unload_no_model(host: Host) -> None:
    host.apply(LARGE)
    bundle = host.bundle(LARGE)
    for file in (bundle / "etc").rglob("*.*"):
        if file.is_file():
            rewrite(file, "test.toml", "renamed.toml")
    done = host.run("sh", bundle / "apply.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert "from renamed.toml." in (host.root / LIMITS).read_text(encoding="utf-8")
    assert [call for call in host.calls if "able" in call or "restart" in call] == []


def test_what_an_earlier_bundle_had_goes(host: Host) -> None:
    host.apply(LARGE)
    host.apply({})
    assert host.files == installed(host) | in_place(host, {})
    assert host.enabled == {"ollama.service"}
    stopped = [call for call in host.calls if "disable" in call]
    assert stopped == [f"systemctl disable --now {job}.service" for job in JOBS]
    assert RESTART in host.calls
    assert [path.name for path in (host.root / "etc/hostwright").iterdir()] == [RECORD_NAME]


def test_a_job_that_was_disabled_by_hand_is_enabled(host: Host) -> None:
    host.apply(LARGE)
    (host.state / "enabled/ollama-warmup.service").unlink()
    host.apply(LARGE)
    assert "ollama-warmup.service" in host.enabled
    assert RESTART not in host.calls


def test_a_server_that_does_not_answer_is_restarted(host: Host) -> None:
    host.apply(LARGE)
    (host.state / "active").unlink()
    said = host.apply(LARGE)
    assert "does not answer" in said
    assert host.calls[-1] == RESTART


def test_a_server_that_is_stopped_and_disabled_stays_so(host: Host) -> None:
    (host.state / "active").unlink()
    (host.state / "enabled/ollama.service").unlink()
    said = host.apply(LARGE)
    assert "stopped and disabled, and stays so" in said
    assert host.files == installed(host) | in_place(host, LARGE)
    assert host.enabled == JOB_UNITS
    assert RESTART not in host.calls
    assert host.apply(LARGE) == "Nothing to change.\n"


def test_a_missing_kernel_module_is_told(host: Host) -> None:
    host.stub("modprobe", "exit 1")
    done = host.run("sh", host.bundle(LARGE) / "apply.sh")
    assert done.returncode == 0
    assert "without the GPU" in done.stderr
    assert RESTART in host.calls


# ── what is not ours ──────────────────────────────────────────────────────────────────────────


def test_what_is_not_ours_stays(host: Host) -> None:
    mine = {LIMITS: "[Service]\nNice=5\n"}
    theirs = {f"{UNITS}/ollama.service.d/override.conf": "[Service]\nNice=7\n"}
    files = ((path, text) for path, text in (mine | theirs).items())
    for path, text in files:
        (host.root / path).parent.mkdir(parents=True, exist_ok=True)
        (host.root / path).write_text(text, encoding="utf-8")
    said = host.apply(LARGE)
    assert "20-limits.conf.before-hostwright" in said
    kept = {f"{path}.before-hostwright": text for path, text in mine.items()}
    assert host.files == installed(host) | in_place(host, LARGE) | theirs | kept
    assert host.apply(LARGE) == "Nothing to change.\n"
    host.apply({})
    assert host.files == installed(host) | in_place(host, {}) | theirs | mine


def test_a_kept_file_is_never_replaced(host: Host) -> None:
    path = host.root / LIMITS
    path.parent.mkdir(parents=True)
    path.write_text("first\n", encoding="utf-8")
    host.apply(LARGE)
    path.write_text("second\n", encoding="utf-8")
    assert "is kept from before already" in host.refuse(host.bundle(LARGE))


def test_a_file_that_is_kept_already_is_replaced(host: Host) -> None:
    host.apply(FULL)
    host.unit.write_text(host.installed, encoding="utf-8")
    host.apply(FULL)
    kept = {f"{UNITS}/ollama.service.before-hostwright": host.installed}
    assert host.files == kept | in_place(host, FULL)


@pytest.mark.parametrize(
    ("program", "said"),
    [("systemctl", "no ollama.service"), ("id", "no user ollama"), ("ollama", "no program")],
)
def test_without_ollama_nothing_is_touched(program: str, said: str, host: Host) -> None:
    host.stub(program, "exit 1")
    if program == "ollama":
        (host.bin / program).unlink()
    assert said in host.refuse(host.bundle(LARGE))


def test_an_incomplete_bundle_is_refused(host: Host) -> None:
    bundle = host.bundle(LARGE)
    (bundle / LIMITS).unlink()
    assert f"lacks {LIMITS}" in host.refuse(bundle)


def test_a_bundle_without_its_list_is_refused(host: Host) -> None:
    bundle = host.bundle(LARGE)
    (bundle / "bundle.conf").unlink()
    assert host.refuse(bundle) == "This bundle lacks bundle.conf.\n"


@pytest.mark.parametrize("cut", [3, len("\nwait\t90\n"), 300])
def test_a_list_that_is_cut_off_is_refused(cut: int, host: Host) -> None:
    bundle = host.bundle(LARGE)
    text = (bundle / "bundle.conf").read_text(encoding="utf-8")
    (bundle / "bundle.conf").write_text(text[:-cut], encoding="utf-8")
    assert host.refuse(bundle) == "The end of bundle.conf is missing.\n"


def test_a_list_of_another_edition_is_refused(host: Host) -> None:
    bundle = host.bundle(LARGE)
    rewrite(bundle / "bundle.conf", "job\tollama-pull", "task\tollama-pull")
    assert "does not know what bundle.conf says: task\tollama-pull" in host.refuse(bundle)


# ── hostile text ──────────────────────────────────────────────────────────────────────────────


def files_of(decided: Plan, files: Sequence[File]) -> tuple[File, ...]:
    return load_target("systemd").install_note(decided, files)[1:]


def bundle_with(host: Host, decided: Plan, files: Mapping[str, str]) -> Path:
    """Write the bundle of a Plan, with further files."""
    more = tuple(File(path, text) for path, text in files.items())
    rendered_files = (*load_target("systemd").render(decided), *more)
    note = files_of(decided, rendered_files)
    return put(
        (*rendered_files, *note), host.folder / f"hostile-{len(list(host.folder.iterdir()))}"
    )


def is_a_name(text: str) -> bool:
    """Whether a file can be called so, and bundle.conf can say it."""
    return len(text.encode()) < 200 and not set("/\0\n\t") & set(text)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_hostile_names_of_files_are_only_names(shell: str, host: Host) -> None:
    names = [text for text in HOSTILE if is_a_name(text)]
    files = {
        f"etc/hostwright/Modelfile.{number}{name}": f"# Generated by Hostwright\n{number}\n"
        for number, name in enumerate(names)
    }
    decided = host.plan({})
    bundle = bundle_with(host, decided, files)
    done = host.run(require(shell), bundle / "apply.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert host.files == installed(host) | rendered(decided) | files
    assert host.run(require(shell), bundle / "apply.sh").stdout == "Nothing to change.\n"
    (host.state / "active").unlink()
    assert host.run(require(shell), bundle_with(host, host.plan(SICK), {}) / "apply.sh").returncode
    assert host.files == installed(host) | rendered(decided) | files
    host.remove({})
    assert host.files == installed(host)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(texts.filter(is_a_name), min_size=3, max_size=3))
def test_any_program_user_and_address_are_only_words(tmp_path: Path, words: list[str]) -> None:
    with TemporaryDirectory(dir=tmp_path) as folder:
        host = Host(Path(folder))
        program, user, address = words
        path = host.bin / f"ollama{program}"
        host.stub(path.name, f'printf "%s" "$OLLAMA_HOST" >"$state/address"\n{OLLAMA}')
        host.stub("id", 'printf "%s" "$2" >"$state/user"')
        decided = host.plan({})
        listen = dataclasses.replace(decided.service.listen, address=f"h{address}:1")
        service = dataclasses.replace(
            decided.service, program=str(path), user=f"u{user}", listen=listen
        )
        decided = dataclasses.replace(decided, services=(service,))
        done = host.run("sh", put(files_of(decided, []), host.folder / "bundle") / "apply.sh")
        assert (done.returncode, done.stderr) == (0, "")
        assert (host.state / "user").read_bytes().decode() == f"u{user}"
        asked = (host.state / "address").read_bytes().decode()
        assert asked == f"h{address}:1"


@pytest.mark.parametrize("bad", ["a\nb", "a\tb", "a\0b", "a\nfile\tetc/passwd", "\ud800"])
def test_what_a_line_cannot_hold_is_refused(bad: str) -> None:
    decided = plan({})
    service = dataclasses.replace(decided.service, user=bad)
    hostile = dataclasses.replace(decided, services=(service,))
    with pytest.raises(RenderError, match="`user`"):
        files_of(hostile, [])


# ── a complete unit ───────────────────────────────────────────────────────────────────────────


def test_a_complete_unit_keeps_the_installed_one(host: Host) -> None:
    said = host.apply(FULL)
    kept = f"{UNITS}/ollama.service.before-hostwright"
    assert kept in said
    assert host.files == {kept: host.installed} | in_place(host, FULL)
    assert host.calls == [
        "systemd-sysusers hostwright-ollama.conf",
        "systemctl daemon-reload",
        "systemctl reenable ollama.service",
        RESTART,
    ]


def test_a_complete_unit_needs_no_other(host: Host) -> None:
    host.unit.unlink()
    (host.state / "active").unlink()
    host.stub("systemctl", "case $1 in is-enabled) exit 1 ;; esac\n" + RECORD)
    host.apply(FULL)
    assert host.files == in_place(host, FULL)
    assert "systemctl enable ollama.service" in host.calls


def test_drop_ins_after_a_complete_unit_are_for_the_installed_one(host: Host) -> None:
    host.apply(FULL)
    host.apply({})
    assert host.files == installed(host) | in_place(host, {})
    assert host.calls[-2:] == ["systemctl reenable ollama.service", RESTART]
    host.apply(FULL)
    kept = {f"{UNITS}/ollama.service.before-hostwright": host.installed}
    assert host.files == kept | in_place(host, FULL)


def test_drop_ins_are_not_for_a_complete_unit_of_ours(host: Host) -> None:
    host.unit.unlink()
    host.apply(FULL)
    assert "remove.sh" in host.refuse(host.bundle({}))
    assert host.calls == []
    host.remove({})
    assert host.files == {}


# ── verified before it takes effect ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (LIMITS, "MemoryMax=7G", "MemoryMax=abc", "20-limits.conf:"),
        (LIMITS, "MemoryMax=", "MemoryMaxx=", "20-limits.conf:"),
        (f"{UNITS}/ollama-pull.service", "/bin/sh", "/bin/none", "/bin/none is not executable"),
    ],
)
def test_units_that_systemd_does_not_take_are_refused(
    path: str, old: str, new: str, said: str, host: Host
) -> None:
    require("systemd-analyze")
    host.verifies()
    bundle = host.bundle(LARGE)
    rewrite(bundle / path, old, new)
    told = host.refuse(bundle)
    assert said in told
    assert "nothing is changed" in told
    assert host.calls == ["id -u ollama"]
    done = host.run("sh", bundle / "apply.sh", "--dry-run")
    assert (done.returncode, done.stderr) == (1, told)


def test_a_complete_unit_is_verified_with_later_drop_ins_of_the_host(host: Host) -> None:
    require("systemd-analyze")
    host.verifies()
    bundle = host.bundle(FULL)
    override = host.root / UNITS / "ollama.service.d/zz.conf"
    override.parent.mkdir()
    override.write_text("[Service]\nExecStart=\n", encoding="utf-8")
    assert "ollama.service: " in host.refuse(bundle)


def test_faults_of_others_are_not_ours(host: Host) -> None:
    require("systemd-analyze")
    host.verifies()
    host.unit.write_text(host.installed.replace("[Service]\n", "[Service]\nFoo=1\n"))
    override = host.root / UNITS / "ollama.service.d/override.conf"
    override.parent.mkdir()
    override.write_text("[Service]\nCPUQuota=abc\n", encoding="utf-8")
    host.apply(LARGE)
    assert RESTART in host.calls


def test_what_goes_is_not_verified(host: Host) -> None:
    require("systemd-analyze")
    host.verifies()
    host.apply(LARGE)
    rewrite(host.root / LIMITS, "MemoryMax=7G", "ExecStart=")
    edited = {f"{LIMITS}.edited-1": host.files[LIMITS]}
    host.apply({})
    assert host.files == installed(host) | in_place(host, {}) | edited


TOOLS = (
    "sh cat cksum cmp cp date diff dirname env grep head ln mkdir mktemp mv "
    "readlink rm rmdir sed sleep tail timeout tr"
)


def test_without_systemd_analyze_it_goes_on(host: Host) -> None:
    host.verifies()
    tools = host.folder / "tools"
    tools.mkdir()
    for tool in TOOLS.split():
        (tools / tool).symlink_to(require(tool))
    done = host.run("sh", host.bundle(LARGE) / "apply.sh", path=str(tools))
    assert (done.returncode, done.stderr) == (0, "")
    assert "There is no systemd-analyze" in done.stdout
    assert host.files == installed(host) | in_place(host, LARGE)


def test_a_dry_run_changes_nothing(host: Host) -> None:
    host.apply(LARGE)
    before = host.everything
    bundle = host.bundle({**FULL, "resources": {"memory_max": "9G"}})
    script = f"{bundle}/apply.sh"
    for command in (f"{script} --dry-run", f"DRY_ACTIVATE=1 {script}"):
        done = host.run("sh", "-c", command)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert f"would keep {host.unit} as {host.unit}.before-hostwright" in done.stdout
        assert f"would remove {host.root / LIMITS}" in lines
        assert "+MemoryMax=9G" in lines
        assert "would disable and stop ollama-pull.service" in lines
        assert lines[-1] == "would restart ollama.service"
        assert (host.everything, host.calls) == (before, [])


def test_other_words_than_dry_run_are_refused(host: Host) -> None:
    done = host.run("sh", host.bundle({}) / "apply.sh", "--dry")
    assert (done.returncode, done.stderr) == (
        2,
        "usage: apply.sh [--dry-run | --remove [--dry-run] | --help]\n",
    )
    done = host.run("sh", host.bundle({}) / "apply.sh", HOSTWRIGHT_WAIT="1m")
    assert (done.returncode, done.stderr) == (2, "HOSTWRIGHT_WAIT is a number of seconds, not 1m\n")


# ── as it was before, when anything fails ─────────────────────────────────────────────────────


@pytest.mark.parametrize("sick", [SICK, SICK_FULL])
@pytest.mark.parametrize("before", [None, LARGE, FULL, {}])
def test_an_unhealthy_server_brings_back_what_was_there(
    before: Data | None, sick: Data, host: Host
) -> None:
    if before is not None:
        host.apply(before)
    told = host.refuse(host.bundle(sick))
    assert "does not answer at 127.0.0.1:11434 within 1 seconds" in told
    assert "the journal: -u ollama -n 20 --no-pager" in told
    assert "What was there before is back." in told
    assert host.calls.count(RESTART) == 2
    assert host.calls[-1] == RESTART


def test_a_failed_first_apply_leaves_nothing_of_ours(host: Host) -> None:
    host.refuse(host.bundle(SICK))
    assert host.files == installed(host)
    assert host.enabled == {"ollama.service"}
    assert not (host.root / UNITS / "ollama.service.d").exists()


def test_an_installed_unit_is_enabled_as_it_was(host: Host) -> None:
    host.refuse(host.bundle(SICK_FULL))
    enabled = [call for call in host.calls if "enable" in call]
    assert enabled == ["systemctl reenable ollama.service"] * 2


def test_a_server_that_does_not_start_brings_back_what_was_there(host: Host) -> None:
    host.apply(LARGE)
    host.on("restart", "exit 1")
    told = host.refuse(host.bundle({}))
    assert "The server does not start." in told


def test_a_server_that_was_stopped_is_stopped_again(host: Host) -> None:
    (host.state / "active").unlink()
    host.refuse(host.bundle(SICK))
    assert host.calls[-1] == "systemctl stop ollama.service"


def test_an_unhealthy_server_with_nothing_changed_is_told(host: Host) -> None:
    host.apply(LARGE)
    host.on("restart", 'rm -f "$state/active"; exit 0')
    (host.state / "active").unlink()
    before = host.files
    done = host.run("sh", host.bundle(LARGE) / "apply.sh")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert (host.files, host.calls.count(RESTART)) == (before, 1)


@pytest.mark.parametrize("signal", ["HUP", "INT", "TERM"])
@pytest.mark.parametrize("verb", ["disable", "daemon-reload", "reenable", "restart"])
def test_an_interrupted_run_brings_back_what_was_there(signal: str, verb: str, host: Host) -> None:
    host.apply({**LARGE, "service": {}})
    before = host.everything
    host.on(verb, f"kill -{signal} $PPID")
    done = host.run("sh", host.bundle({**FULL, "models": [{"name": "z:1b"}]}) / "apply.sh")
    assert done.returncode == {"HUP": 129, "INT": 130, "TERM": 143}[signal]
    assert host.everything == before


@pytest.mark.parametrize(
    ("program", "call"),
    [("cat", 1), ("cat", 4), ("mkdir", 2), ("mkdir", 12), ("mv", 1), ("mv", 2), ("mv", 9)],
)
def test_a_full_disk_brings_back_what_was_there(program: str, call: int, host: Host) -> None:
    host.apply(LARGE)
    before = host.everything
    count = f'echo x >>"$state/count"\n[ "$(wc -l <"$state/count")" != {call} ] || exit 1'
    host.stub(program, f'{count}\nexec {require(program)} "$@"')
    data = {**FULL, "models": [{"name": "z:1b", "parameters": {"num_ctx": 1}}]}
    done = host.run("sh", host.bundle(data) / "apply.sh")
    assert done.returncode == 1
    assert host.everything == before


def test_a_run_that_was_killed_is_made_good_by_the_next(host: Host) -> None:
    host.apply({})
    host.on("daemon-reload", "kill -KILL $PPID")
    assert host.run("sh", host.bundle(LARGE) / "apply.sh").returncode == -9
    said = host.apply(LARGE)
    assert "was killed at work" in said
    assert host.files == installed(host) | in_place(host, LARGE)
    assert host.enabled == {"ollama.service", *JOB_UNITS}
    assert RESTART in host.calls


def test_two_at_once_are_one_after_the_other(host: Host) -> None:
    other = host.bundle(LARGE)
    host.on("daemon-reload", f"sh {other}/apply.sh >{host.folder}/second 2>&1; echo $? >>$state/rc")
    host.apply(LARGE)
    second = (host.folder / "second").read_text(encoding="utf-8")
    assert second.splitlines()[-1] == "Another apply.sh is at work."
    assert (host.state / "rc").read_text(encoding="utf-8") == "1\n"


# ── as deploy-rs runs it ──────────────────────────────────────────────────────────────────────


def store(host: Host, data: Mapping[str, object], *, deep: bool) -> Path:
    """Return a profile as Nix makes it: a link to links into a store that nobody writes to."""
    bundle = host.bundle(dict(data))
    for path in bundle.rglob("*"):
        if path.is_file():
            path.chmod(0o555 if path.suffix == ".sh" else 0o444)
    environment = bundle.with_name(f"{bundle.name}-activatable")
    if deep:
        shutil.copytree(bundle, environment, copy_function=os.symlink)
    else:
        environment.mkdir()
        for path in bundle.iterdir():
            (environment / path.name).symlink_to(path)
    for name in ("deploy-rs-activate", "activate-rs"):
        (environment / name).write_text("#!/bin/sh\nexec ./apply.sh\n", encoding="utf-8")
    profile = host.folder / "profile"
    profile.unlink(missing_ok=True)
    profile.symlink_to(environment)
    return profile


@pytest.mark.parametrize("deep", [True, False])
def test_a_bundle_of_links_into_a_store_is_applied(deep: bool, host: Host) -> None:
    done = host.run("./apply.sh", cwd=store(host, LARGE, deep=deep))
    assert (done.returncode, done.stderr) == (0, "")
    assert host.files == installed(host) | in_place(host, LARGE)
    assert not [path for path in (host.root / "etc").rglob("*") if path.is_symlink()]
    assert (host.root / LIMITS).stat().st_mode & 0o777 == 0o644
    once = host.everything
    done = host.run("./apply.sh", cwd=host.folder / "profile")
    assert (done.returncode, done.stdout) == (0, "Nothing to change.\n")
    assert host.everything == once


def test_a_link_to_the_script_alone_finds_the_bundle(host: Host) -> None:
    link = host.folder / "apply-ollama"
    link.symlink_to(store(host, LARGE, deep=False) / "apply.sh")
    done = host.run(link, cwd=host.folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert host.files == installed(host) | in_place(host, LARGE)


def test_a_rollback_applies_the_bundle_before(host: Host) -> None:
    host.run("./apply.sh", cwd=store(host, LARGE, deep=False))
    assert host.run("./apply.sh", cwd=store(host, SICK, deep=False)).returncode == 1
    done = host.run("./apply.sh", cwd=store(host, LARGE, deep=False))
    assert (done.returncode, done.stdout) == (0, "Nothing to change.\n")
    assert host.files == installed(host) | in_place(host, LARGE)


# ── remove ────────────────────────────────────────────────────────────────────────────────────


def test_remove_leaves_nothing_of_ours(host: Host) -> None:
    host.apply(LARGE)
    host.remove(LARGE)
    assert host.files == installed(host)
    assert host.enabled == {"ollama.service"}
    assert not (host.root / "etc/hostwright").exists()
    assert not (host.root / UNITS / "ollama.service.d").exists()
    assert host.calls == [
        *(f"systemctl disable --now {job}.service" for job in JOBS),
        "systemctl daemon-reload",
        "systemctl try-restart ollama.service",
    ]


def test_remove_brings_back_what_was_there(host: Host) -> None:
    path = host.root / LIMITS
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\nNice=5\n", encoding="utf-8")
    host.apply(LARGE)
    host.remove(LARGE)
    assert host.files == installed(host) | {LIMITS: "[Service]\nNice=5\n"}


def test_remove_brings_back_the_installed_unit(host: Host) -> None:
    host.apply(FULL)
    host.remove(FULL)
    assert host.files == installed(host)
    assert host.calls[0] == "systemctl disable --now ollama.service"
    assert host.calls[-1] == "systemctl enable --now ollama.service"


def test_remove_tidies_up_after_a_killed_run(host: Host) -> None:
    host.on("daemon-reload", "kill -KILL $PPID")
    host.run("sh", host.bundle(LARGE) / "apply.sh")
    host.remove(LARGE)
    assert host.files == installed(host)
