"""What an Engine is: how one inference server is configured, and what it is asked for."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.errors import Finding, Problem
    from generator.fit.ask import Ask
    from generator.host import Gpu, Host
    from generator.plan import (
        Acceleration,
        Api,
        Argument,
        Build,
        Devices,
        Health,
        Job,
        Listen,
        Model,
        Omission,
        Service,
        Setting,
        Source,
        Step,
        Variable,
    )
    from generator.profiles.schema import Profile
    from generator.view import View


class Threads(NamedTuple):
    """The compute threads of a model (0: left to the server), why, and where they come from."""

    number: int
    reason: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a profile asks of any engine, from the engine's own table.

    `locked` is why a model is locked in memory; empty: it is not. `kept`: an idle one stays in
    memory for ever.
    """

    version: str | None
    acceleration: Acceleration | None
    host: str
    port: int
    open_firewall: bool
    models_dir: str
    locked: str
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an engine decides about: a profile, on a host, for a release.

    `home` is the home of the service, empty for the one that the existing unit has; `header` is
    what every generated file begins with. `unit` is that of the service, and `units` are those of
    all servers on the host.
    """

    profile: Profile
    facts: Facts
    host: Host
    acceleration: Acceleration
    devices: Devices | None
    threads: Threads
    listen: Listen
    home: str
    header: tuple[str, ...]
    legacy_env: bool
    unit: str
    units: tuple[str, ...]
    puller: str = ""

    @property
    def stem(self) -> str:
        """What names of its jobs begin with."""
        return self.unit.removesuffix(".service").replace("@", "-")

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that compute."""
        return self.host.gpus if self.devices else ()

    @property
    def compiles(self) -> bool:
        """Whether the driver compiles kernels for one of them at their first use."""
        cuda = self.gpus if self.acceleration == "cuda" else ()
        return any(one.compiles(self.host.system) for one in self.facts.generations(cuda))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What an engine has decided, and what it has to say of the profile.

    It computes on so many `gpus` at once; 0: on all that it is given. `shared` are bytes that its
    processes share beside those of any server.
    """

    environment: tuple[Setting, ...]
    arguments: tuple[Argument, ...] = ()
    omissions: tuple[Omission, ...]
    runner: str = ""
    cache: str = ""
    gpus: int = 0
    shared: int = 0
    build: Build | None = None
    models: tuple[Model, ...]
    jobs: tuple[Job, ...]
    offered: tuple[Job, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]


class Turn(NamedTuple):
    """How models of a running server are loaded and unloaded: steps, and what these need."""

    steps: tuple[Step, ...]
    environment: tuple[Variable, ...]


class Gateway(NamedTuple):
    """How LiteLLM asks a server: what it calls one that chats or makes vectors, and where."""

    chat: str = "openai"
    embedding: str = "openai"
    path: str = "/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a running server tells to whoever watches it: paths of its API, empty where it has none.

    `loaded` are the models in memory, `installed` those on disk, `show` is one of them. The
    `runner` is what computes for a model, and tells its metrics at the path `metrics` where
    `variable` has it do so. `says` is a text of every answer at `alive`.
    At `own` the server tells metrics of itself (empty: nowhere), of which those of `load` are the
    requests that run and that wait.
    """

    alive: str
    says: str
    loaded: str = ""
    installed: str = ""
    show: str = ""
    runner: str = ""
    metrics: str = ""
    own: str = ""
    load: tuple[str, ...] = ()
    variable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What is so of every server of an engine.

    `product`, `log_line`, `models_below`, `installed_models` and `api` are as in a Service.
    `home` and `user` are those of a complete unit, `program` is what a container's image calls
    it, and `address` the variable that says where to listen. `installed_restart` is what the unit
    of the installer has as `Restart=` and `RestartSec=`. `litellm` is how LiteLLM asks it, `told`
    what can be watched of it. `binary` is where the program lies on a host (empty: where the
    profile says). Of a container: a first start may take `first_start_seconds` (0: as for any),
    `shm_size` bytes are shared by processes, and `read_only` is whether the server was seen to run
    where the image cannot be changed. `table` is that of the profile which says what is wanted
    (empty: the engine's own), `one_store` whether one of several servers writes the models of all.
    `writes` are folders below the home that it needs in a pod beside those of any, and `kserve` is
    whether an LLMInferenceService of KServe starts it.
    """

    product: str
    log_line: str
    models_below: str
    installed_models: str
    installed_restart: tuple[str, int] = ("", 0)
    unit: str
    command: tuple[str, ...]
    health: Health
    api: Api | None = None
    told: Told | None = None
    program: str
    user: str
    home: str
    address: str
    litellm: Gateway = Gateway()
    binary: str = ""
    first_start_seconds: int = 0
    shm_size: int = 0
    read_only: bool = True
    table: str = ""
    one_store: bool = True
    writes: tuple[str, ...] = ()
    kserve: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a front needs to know of a server of an engine.

    It answers `slots` requests at once, for the `reason`. `paths` are those that clients compute
    with, one with a `/` at its end with all below it; `asides` among them need no slot. `health`
    is the path that tells whether it answers, `present` the one that names the models in memory
    (empty: none does), and `pinned` says that none leaves it for lack of use. `header` is the one
    by which a client names a model to a front.
    """

    slots: int
    reason: str
    paths: tuple[str, ...]
    asides: tuple[str, ...]
    health: str
    present: str
    pinned: bool
    header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a profile says where a file sets a variable: values by their keys.

    Without any, `why` there are none and what to do (`fix`); `idle`: the server makes nothing of
    the variable, so that nothing is lost. With keys, `why` tells why they are others than the
    variable's own. `rule` is the one that says so of the file.
    """

    keys: Mapping[str, object] = field(default_factory=dict)
    why: str = ""
    fix: str = ""
    rule: str = ""
    idle: bool = False


class AskApi(Protocol):
    """Whoever asks a server: a GET of a path, or a POST where there is a `body`."""

    def __call__(self, path: str, body: dict[str, Any] | None = None, /) -> Mapping[str, Any]:
        """Return the answer. Raises HostwrightError as `asked` of `live.client` does."""


class AskStream(Protocol):
    """Whoever asks a server that answers bit by bit."""

    def __call__(self, path: str, body: dict[str, Any], /) -> Iterator[Mapping[str, Any]]:
        """Yield the parts of the answer. Raises HostwrightError as `streamed` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model that a running server has, on disk or in memory; 0 and empty: it does not tell.

    `modified` is when it last changed, as the server writes a time; `context` is that of one slot,
    `on_gpus` the bytes of it that are there, and `until` when the server lets it go.
    """

    name: str
    size: int = 0
    quantisation: str = ""
    digest: str = ""
    modified: str = ""
    context: int = 0
    on_gpus: int = 0
    until: str = ""


class Running(Protocol):
    """What is so of a running server of one release, and how it is asked."""

    def config(self, log: str) -> Mapping[str, str]:
        """Return the variables as the server has read them, by its log; empty: that says nothing.

        It need not have them all.
        """

    def latest(self, log: str) -> str:
        """Return what a log has since the last start of the server; all of it: none is in it."""

    def agrees(self, name: str, value: str, told: str) -> bool:
        """Return whether the log says of a variable what `value` means."""

    def meaning(self, name: str, value: str) -> str:
        """Return a value in the one form of all that mean the same."""

    def default(self, name: str) -> str | None:
        """Return what a server takes that is not told a variable; None: the name is none of its."""

    def unread(self, name: str) -> str:
        """Return why the release does not read a variable; empty: it does, or nobody knows."""

    def secret(self, name: str) -> bool:
        """Return whether a variable holds a secret, by its name."""

    def of_runner(self, name: str) -> bool:
        """Return whether only the program reads it that is started for a model."""

    def reads_own(self, command: Sequence[str]) -> bool:
        """Return whether the program of a model reads the variables that only such a one does."""

    def release(self, ask: AskApi) -> str:
        """Return the release that a server says it is; empty: it is a build that tells none.

        Raises EnvironmentFailure, as all below.
        """

    def installed(self, ask: AskApi) -> tuple[ServedModel, ...]:
        """Return the models that a server has on disk."""

    def loaded(self, ask: AskApi) -> tuple[ServedModel, ...]:
        """Return the models that a server has in memory."""

    def parameters(self, ask: AskApi, name: str) -> tuple[tuple[str, str], ...]:
        """Return the parameters that a model of a server was made with."""

    def load(self, ask: AskApi, name: str, tokens: int, given: Mapping[str, str]) -> float | None:
        """Have a server load a model, keep it as the variables `given` say, and compute `tokens`.

        Return the seconds that loading took, as the server tells it; None: it does not.
        """

    def pull(self, ask: AskStream, name: str) -> Iterator[tuple[str, float | None]]:
        """Have a server download a model; yield what it does, and which part of that is done.

        Raises EnvironmentFailure where that fails.
        """

    def download(self, name: str) -> int:
        """Return the bytes that a model is pulled with; 0: nobody knows."""

    def weights(self, ask: AskApi, name: str) -> str:
        """Return the name of the file that a model is loaded from; empty: the server hides it."""

    def said(self, log: str) -> tuple[Mapping[str, str], ...]:
        """Return what programs say of the models that they have loaded, by the log, in words."""

    def told(
        self, command: Sequence[str], variables: Mapping[str, str] | None
    ) -> Mapping[str, str]:
        """Return what the program of a model was told, in the same words; none: it is no such."""

    def port(self, command: Sequence[str]) -> int | None:
        """Return where the program of a model answers, on this machine alone; None: it does not."""

    def wanted(
        self, given: Mapping[str, str], parameters: Mapping[str, str], name: str
    ) -> Mapping[str, str]:
        """Return how a model should be loaded, by the variables and what it is made with."""

    def faults(
        self, want: Mapping[str, str], has: Mapping[str, str], says: Mapping[str, str]
    ) -> Iterator[tuple[str, str, str]]:
        """Yield each word that anybody tells of, what is so, and what is wrong; empty: nothing."""

    def devices(self, log: str) -> tuple[str, ...]:
        """Return the library of each device that the server computes on, by its log, as `cuda`.

        Nothing: that says nothing.
        """


class Engine(Protocol):
    """How one inference server is configured. Modules satisfy this: `engines/<name>/engine.py`."""

    SERVER: Server

    def asked(self, profile: Profile) -> Asked:
        """Return what the profile asks of any engine."""

    def decide(self, case: Case) -> Decided:
        """Return variables, models and jobs for the case. Pure."""

    def meant(self, name: str, value: str, facts: Facts) -> Meant:
        """Return what a profile says for a variable of a server; the inverse of `decide`."""

    def ask_of(self, view: View, facts: Facts) -> Ask:
        """Return what a service asks for, which knows how it is loaded, placed and evicted."""

    def turn(self, load: tuple[str, ...], unload: tuple[str, ...]) -> Turn | None:
        """Return how models take the place of others; None: a server keeps what it started with."""

    def running(self, facts: Facts) -> Running:
        """Return what is so of a running server of a release."""

    def offer(self, service: Service, facts: Facts) -> Offer:
        """Return what a front needs to know of a server. Pure."""
