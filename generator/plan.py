"""The Plan: one fully decided, target-neutral host and its services. Plain data, no third party.

Every value carries the reason why it is what it is, and the key of the profile that it comes from.
Targets print a Plan and decide nothing. `plan.json` is this tree with the same names (see `codec`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from generator.cache import Cache  # noqa: TC001 -- codec reads the annotations
from generator.errors import Finding, HostwrightError, Silence
from generator.front import Front  # noqa: TC001 -- codec reads the annotations
from generator.host import Host  # noqa: TC001 -- codec reads the annotations
from generator.monitor import Monitor  # noqa: TC001 -- codec reads the annotations
from generator.pod import Pod  # noqa: TC001 -- codec reads the annotations
from generator.records import dataclass

SCHEMA_VERSION: Final = 2
PROGRAM: Final = "/.program"
"""Stands in an argv for the program of the service, wherever the target has it."""
MODELFILES: Final = "/.modelfiles"
"""Stands in an argv, with a file's name behind it, for where the target puts Modelfiles."""
MODEL: Final = "/.model"
"""Stands in a Step for one model of its Job: the step is there once for each."""
MODELS: Final = "/.models"
"""Stands in a Step for all models of its Job."""
CACHES: Final = "/var/cache/"
"""Where the cache of a Service is, under a name that systemd takes for `CacheDirectory=`."""
SHELL: Final = ("/bin/sh", "-c")
"""What a Step begins with whose next word is lines of a shell; then come `sh`, and `$1`."""
ADDRESS: Final = "/.address"
"""Stands for the value of a Variable: where the target's jobs reach the server."""
LATER: Final = frozenset(
    {"alone", "arguments", "bits", "calendar", "digest", "kserve", "puller", "shm_size", "table"}
)
"""Fields that stand in plan.json only where they say something: all others stay as they were."""

Source = Literal["profile", "derived", "default", "legacy"]
Group = Literal["service", "gpu", "threads", "server", "environment"]
Scope = Literal["any", "host"]
Acceleration = Literal["cpu", "cuda", "rocm", "vulkan"]
GuardName = Literal[
    "no_new_privileges", "cap_drop", "cap_add", "read_only", "tmpfs", "pids_limit", "user"
]
ComposeForm = Literal["project", "fragment", "override"]
RestartPolicy = Literal["no", "on-success", "on-failure", "on-abnormal", "on-abort", "always"]


def commented(reason: str, silences: tuple[Silence, ...]) -> tuple[str, ...]:
    """Return the lines above a value: its reason, and what silences rules there."""
    ignored = (f"hostwright: ignore {each.rule} because {each.reason}" for each in silences)
    return (reason, *ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One environment variable of the server.

    `reason` is the comment that the output has beside it, `silences` the rules of `gen check` that
    this line of it is not for. `scope` `host` marks a variable that a
    container expresses in another way (devices, ports, mounts). `form` is how the server reads the
    value, in the words of `meaning` (empty: as it stands), and `default` what it takes for an
    empty one.
    """

    name: str
    value: str
    reason: str
    source: Source
    group: Group
    key: str
    scope: Scope = "any"
    silences: tuple[Silence, ...] = ()
    form: str = ""
    default: str = ""

    @property
    def comment(self) -> tuple[str, ...]:
        """What the output has above it: the reason, and each rule that its line is not for."""
        return commented(self.reason, self.silences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A word or two of the command line of the server: `name` is an option or stands alone.

    `scope` `host` marks an option that a container expresses in another way, as its port.
    """

    name: str
    value: str = ""
    reason: str
    source: Source
    key: str
    scope: Scope = "any"

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments, as the server gets them."""
        return (self.name, self.value) if self.value else (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """Something the profile asks for that is not set, on purpose.

    `what` would have been set; `reason` is the line that the output has in its place.
    """

    what: str
    reason: str
    group: Group
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One resource limit under its profile name.

    Units by name: `cpu_quota` percent of one CPU; `memory_*` and `limit_memlock` bytes, or the
    string `infinity`; all others as systemd spells them. `directive` and `written` are the line
    of a `[Service]` section: `CPUQuota`, `2000%`.
    """

    name: str
    value: int | str
    directive: str
    written: str
    reason: str
    source: Source
    key: str
    silences: tuple[Silence, ...] = ()

    @property
    def comment(self) -> tuple[str, ...]:
        """What the output has above it: the reason, and each rule that its line is not for."""
        return commented(self.reason, self.silences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the API listens on the host.

    `host` is an address without brackets, `address` what clients on the host connect to, and
    `variable` the one from which the server and its clients know it.
    """

    host: str
    port: int
    address: str
    variable: str
    open_firewall: bool
    reason: str
    silences: tuple[Silence, ...] = ()

    @property
    def comment(self) -> tuple[str, ...]:
        """What the output has above it: the reason, and each rule that its line is not for."""
        return commented(self.reason, self.silences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What a NixOS host must build: kernel modules open or not, driver branch, CUDA targets.

    `branch` is an attribute of `nvidiaPackages`, empty for the host's own choice;
    `cuda_architectures` are numbers without the dot (`61`), empty for the packaged set, and
    `cuda_major` is the CUDA release that still builds for them (0: any). `required` says that the
    other modules drive not all of the cards; `last_driver` is the last branch that does (0: any).
    `first_driver` is the first that does, and `first_reason` says which card that is of.
    """

    open: bool
    branch: str
    cuda_architectures: tuple[str, ...]
    cuda_major: int
    required: bool = False
    last_driver: int = 0
    first_driver: int = 0
    first_reason: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command: `argv` without a shell.

    It runs on the `host`, with the host's own programs, or beside the `server`, with the server's.
    `seconds` is how long it may take (0: no bound of its own).
    """

    argv: tuple[str, ...]
    where: Literal["server", "host"] = "server"
    seconds: int = 0


def shell(
    script: str, *arguments: str, where: Literal["server", "host"] = "server", seconds: int = 0
) -> Step:
    """Return a Step that runs lines of a shell, with `$1` and so on for the arguments."""
    return Step(argv=(*SHELL, script, "sh", *arguments), where=where, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A line of a section of a unit."""

    name: str
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The GPUs of the host that the service may use.

    `ids` are what the profile names (indices or UUIDs), in order; empty means all.
    `access` are the directives of a unit that let the server at them and at no other device,
    `modules` the kernel modules that must be loaded before the server starts; `nodes` are the
    device nodes that a container needs where no runtime injects them; `wait` is the bounded wait
    for the node that the driver makes last.
    """

    vendor: Literal["nvidia", "amd", "dri"]
    ids: tuple[str, ...]
    access: tuple[Directive, ...]
    modules: tuple[str, ...]
    nodes: tuple[str, ...]
    wait: Step | None
    driver: Driver | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What keeps a container from more than its work, in Docker's words: `name`, and its values."""

    name: GuardName
    values: tuple[str, ...] = ()
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter that a model is created with."""

    name: str
    value: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelfile:
    """The file that a model is created from, finished: `head`, `lever`, `threads`, `tail`.

    `lever` sets the number of compute threads that stands in `threads`, so that another number can
    take its place; both are empty where the model carries none.
    """

    file: str
    head: str
    lever: str
    threads: str
    tail: str

    @property
    def text(self) -> str:
        """The whole file."""
        return f"{self.head}{self.lever}{self.threads}{self.tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model to pull, and to create under `serve_as` from `modelfile` when it has parameters.

    `serve_as` is empty when clients use the pulled model itself. `digest` is that of the model that
    was meant, or how it begins; empty: any. `bits` are those of a weight, where what is loaded is
    no tag of the library (0: it is one).
    """

    name: str
    role: str
    serve_as: str
    parameters: tuple[Parameter, ...]
    modelfile: Modelfile | None
    key: str
    digest: str = ""
    bits: int = 0

    @property
    def served(self) -> str:
        """The name that clients ask for."""
        return self.serve_as or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable of a Job."""

    name: str
    value: str
    reason: str = ""
    scope: Scope = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is done once, beside the server; `unit` and its order in systemd's words.

    `models` are those that it pulls, creates or loads, under the names that the steps use. `wait`
    is how it waits for the server (None: it does not), then `steps` run in order, and `stop_steps`
    when it is stopped. `programs` are those on the host that they call, beside systemd's own.
    `timeout_seconds` bounds each command (0: no bound), `retry_seconds` is the pause before
    another try (0: no other try), `tries` how many there are where somebody counts them. `tokens`
    are those that each model computes once it is loaded. `probe` does its work as well, and fails
    where that does. `calendar` is when a timer starts it, in systemd's words (empty: none does).
    `sandbox` are the directives that keep its
    unit from what it does not need, `guards` what keeps a container of its own from that.
    """

    kind: Literal["pull", "create", "warmup", "resume", "period"]
    name: str
    unit: str
    description: str
    reason: str
    steps: tuple[Step, ...]
    models: tuple[str, ...] = ()
    tokens: int = 0
    probe: Step | None = None
    stop_steps: tuple[Step, ...] = ()
    wait: Step | None = None
    environment: tuple[Variable, ...] = ()
    programs: tuple[str, ...] = ()
    timeout_seconds: int = 0
    retry_seconds: int = 0
    tries: int = 0
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    wanted_by: tuple[str, ...] = ()
    remain_after_exit: bool = False
    stop_when_unneeded: bool = False
    sandbox: tuple[Directive, ...] = ()
    guards: tuple[Guard, ...] = ()
    calendar: tuple[str, ...] = ()

    @property
    def timer(self) -> str:
        """The unit that starts it by the calendar."""
        return f"{self.name}.timer"

    @property
    def on_host(self) -> bool:
        """Whether a step needs the host itself, so that no container can do it."""
        return any(step.where == "host" for step in (*self.steps, *self.stop_steps))

    @property
    def commands(self) -> tuple[Step, ...]:
        """The steps with the models of the job in place."""
        return tuple(
            self.filled(step, model)
            for step in self.steps
            for model in (self.models if MODEL in step.argv else ("",))
        )

    def filled(self, step: Step, model: str = "") -> Step:
        """Return a step with the models of the job in place."""
        return replace(step, argv=_named(step.argv, self.models, model))


def _named(argv: tuple[str, ...], models: tuple[str, ...], model: str) -> tuple[str, ...]:
    places = {MODEL: (model,), MODELS: models}
    return tuple(text for word in argv for text in places.get(word, (word,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How to see that the server answers: a command that changes nothing, and its times.

    Until the first answer it may be asked every `startup_seconds`. `gate` waits for that answer
    beside the server that systemd has started, and fails where none comes within its time.
    """

    step: Step
    interval_seconds: int
    timeout_seconds: int
    retries: int
    start_seconds: int
    startup_seconds: int
    reason: str
    gate: Step | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where a running server tells its `release`, and which `models` it has: paths of its URL."""

    release: str
    models: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEdit:
    """A text in a `file` of the engine's sources, and the `new` one that takes its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build of the engine of one's own.

    `blas` is the library, as nixpkgs calls it, empty: none; `packages` are Debian's of it and of
    what else it needs to run, `provides` the file that has to be chosen for it. `flags` are
    definitions for CMake, and `edits` what writes them into the sources; `reads` are the variables
    that this build reads and the official one does not. `image` is what its image is called.

    For that, the `tag` of the repository `sources` is compiled on the image `base`, with the
    packages `tools`, by `commands`, of which the first takes the flags. What lies then in `made`,
    below the sources, goes to `place` in the official image, from which the files that `replaced`
    names go first. `since` is the first release that can be built so.
    """

    blas: str
    packages: tuple[str, ...]
    provides: str
    flags: tuple[str, ...]
    edits: tuple[BuildEdit, ...]
    reads: tuple[str, ...]
    image: str
    sources: str
    tag: str
    base: str
    tools: tuple[str, ...]
    commands: tuple[str, ...]
    made: str
    place: str
    replaced: str
    since: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """When systemd starts the server again, and after how long a pause.

    `installed`: the unit of the installer says the same, and the profile nothing.
    """

    policy: RestartPolicy
    seconds: int
    reason: str
    installed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A file at `path` on the host that systemd hands to the server alone, under its `name`.

    The server looks for it at `file` below its home, where `link` puts it before a start and
    `unlink` takes it away after a stop, or is told of it by `variable`; one of the two is empty.
    `encrypted`: systemd decrypts it.
    """

    name: str
    path: str
    encrypted: bool
    file: str
    variable: str
    link: Step | None
    unlink: Step | None
    reason: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How the server runs in a container; `program`, paths and `port` are those in the image.

    A first start, which pulls the image, may take `start_seconds`. `env_files` are files on the
    host with variables for the container. In Compose it is the `service` of a `project`, after
    which it is called where it is not `named` by the profile; `form` says what the file for Compose
    is. `home_dir` is the directory of the host that is mounted at `home_path` (empty: it is
    the `volume`), `variables` are those that it needs beside the server's, and `guards` what keeps
    it from more than its work. `shm_size` are the bytes that its processes share (0: the default).
    """

    image: str
    name: str
    volume: str
    network: str
    restart: str
    rootless: bool
    start_seconds: int
    program: str
    models_path: str
    home_path: str
    port: int
    service: str = ""
    project: str = ""
    named: bool = True
    env_files: tuple[str, ...] = ()
    form: ComposeForm = "project"
    home_dir: str = ""
    variables: tuple[Variable, ...] = ()
    guards: tuple[Guard, ...] = ()
    shm_size: int = 0

    @property
    def in_docker(self) -> str:
        """What Docker calls it."""
        return self.name if self.named else self.of_project(self.service)

    def of_project(self, service: str) -> str:
        """Return what Docker calls the container of a service of the project without a name."""
        return f"{self.project}-{service}-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One running engine.

    `product` is the engine's name for people, `log_line` stands in the line of its log that has
    its settings, but for what only the process `runner` reads (empty: none), `cache` is where the
    driver keeps what it compiles (empty: nowhere of its own), `models_below` is
    where it keeps models below its home, and `installed_models`
    where its own installer does. `release_told`: somebody has named the release. The plan holds
    from release `era_since` until `era_until` (empty: not ended), not beyond. `command` starts the
    server, whose `program` is there on the host; `arguments` follow it. `threads` are the compute
    threads of a model (0: left to the server). `user`, `group` and `home` empty: those that the
    existing unit (or NixOS) has. `after` are units to order behind. `full_unit` asks for a complete
    unit with `hardening`, not drop-ins. `api` is where the server tells of itself (None: nowhere),
    `pod` how it runs in Kubernetes.
    `offered` are jobs that the profile has no models for; a host that
    names models itself may use them. `resume_declined`: the profile wants no job around a suspend.
    `table` is that of the profile which says what is wanted (empty: the engine's own).
    `puller` is the unit of the server that alone writes the models of this one; empty: it does so
    itself. `alone` are the jobs that would bring its own models, where another server does that.
    """

    name: str
    engine: str
    product: str
    log_line: str
    runner: str = ""
    cache: str = ""
    models_below: str
    installed_models: str
    release: str
    release_told: bool
    era_since: str
    era_until: str
    unit: str
    program: str
    command: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    acceleration: Acceleration
    threads: int
    listen: Listen
    models_dir: str
    environment: tuple[Setting, ...]
    omissions: tuple[Omission, ...]
    limits: tuple[Limit, ...]
    devices: Devices | None
    after: tuple[str, ...]
    restart: Restart
    user: str
    group: str
    home: str
    full_unit: bool
    hardening: tuple[Directive, ...]
    health: Health
    models: tuple[Model, ...]
    jobs: tuple[Job, ...]
    offered: tuple[Job, ...]
    resume_declined: bool
    container: Container
    environment_files: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    build: Build | None = None
    api: Api | None = None
    pod: Pod | None = None
    puller: str = ""
    table: str = ""
    alone: tuple[Job, ...] = ()

    @property
    def stem(self) -> str:
        """What names of files, units and containers of it begin with."""
        return self.unit.removesuffix(".service").replace("@", "-")

    @property
    def wanted(self) -> str:
        """The table of the profile that says what is wanted of it."""
        return self.table or self.engine

    @property
    def cache_name(self) -> str:
        """The name of its cache below those of all services; empty: it has none."""
        return self.cache.removeprefix(CACHES)

    def limit(self, name: str) -> Limit | None:
        """Return the limit of that profile name, or None where the service is not limited."""
        return next((limit for limit in self.limits if limit.name == name), None)

    @property
    def judged(self) -> tuple[Setting, ...]:
        """The variables that rules judge: not those that are there on purpose, read or not."""
        own = self.build.reads if self.build else ()
        return tuple(s for s in self.environment if s.source != "legacy" and s.name not in own)

    def settings(self, group: Group) -> tuple[Setting, ...]:
        """Return the variables of one group, in order."""
        return tuple(setting for setting in self.environment if setting.group == group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A host, decided: what it is, and what runs on it.

    `header` are the sentences that every generated file begins with, `silences` the rules that the
    profile does not want to hear of. `cache` is what answers before the services (None: nothing),
    `front` the one address before them (None: clients ask them themselves).
    """

    schema_version: int
    name: str
    description: str
    source: str
    summary: str
    header: tuple[str, ...]
    host: Host
    services: tuple[Service, ...]
    silences: tuple[Silence, ...]
    findings: tuple[Finding, ...]
    cache: Cache | None = None
    monitor: Monitor | None = None
    front: Front | None = None

    @property
    def service(self) -> Service:
        """The one service of the host. Raises HostwrightError where it has several: see `parts`."""
        if len(self.services) > 1:
            names = ", ".join(f"`{service.name}`" for service in self.services)
            raise HostwrightError(
                f"{self.name} has several servers: {names}", hint="name one by --instance"
            )
        return self.services[0]

    def of(self, name: str) -> Plan:
        """Return the Plan of one service alone. Raises HostwrightError where it has none of the
        name.
        """
        for part in self.parts:
            if part.services[0].name == name:
                return part
        names = ", ".join(f"`{service.name}`" for service in self.services)
        raise HostwrightError(f"{self.name} has no server `{name}`", hint=f"it has {names}")

    @property
    def parts(self) -> tuple[Plan, ...]:
        """The Plan of each service by itself, on this host."""
        if len(self.services) == 1:
            return (self,)
        return tuple(replace(self, services=(service,)) for service in self.services)

    @property
    def puller(self) -> Service:
        """The service that writes the models of all."""
        return next((one for one in self.services if not one.puller), self.services[0])

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The Findings that the profile does not silence."""
        return tuple(finding for finding in self.findings if not finding.ignored)
