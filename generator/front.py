"""The front of a Plan: the one address before its servers, decided. Plain data, no third party."""

from __future__ import annotations

from typing import Final, Literal

from generator.records import dataclass

FrontKind = Literal["haproxy", "caddy"]
FrontAuth = Literal["", "bearer", "basic"]
FREE_PORT: Final = 1024
"""The first port that anybody may listen on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontServer:
    """A server behind the front: the Service of that name, and how many requests it is given."""

    service: str
    slots: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Servers that can each answer the same, with one queue before them.

    `models` are the names that clients have for what they serve, and `prefix` begins the paths that
    lead here by themselves, as `/qwen3-14b` (both empty: there is no other backend). `loaded` are
    the models without which a server is given nothing (none: it need only answer).
    """

    name: str
    models: tuple[str, ...] = ()
    prefix: str = ""
    loaded: tuple[str, ...] = ()
    servers: tuple[FrontServer, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFile:
    """A file on the host at `path` that the front alone reads, under its `name`."""

    name: str
    path: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """A line of a unit that keeps the front from what it does not need."""

    name: str
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What stands before the servers, decided.

    A request waits `queue_seconds` for a server, then it is told to come back after
    `retry_seconds`; an answer may be silent for `answer_seconds`, and those that run may take
    `drain_seconds` to end when the front is stopped. `paths` are open: a path, or with a `/` at its
    end all below it; of these, `asides` need no slot, and any server answers them. `health` is the
    path that tells whether a server answers, `present` the one that tells which models it has
    loaded. `header` names the model where there are several backends; with `by_body` it is read
    from the request itself. `secrets` are files for keys and certificates.

    `program` is where packages have it, `image` that of a container, where it reads `config`;
    `product` is its name for people, and `confined` what its unit may not do.
    """

    kind: FrontKind
    product: str
    unit: str
    program: str
    image: str
    config: str
    host: str
    port: int
    metrics_host: str
    metrics_port: int
    auth: FrontAuth
    secrets: tuple[SecretFile, ...]
    queue_seconds: int
    retry_seconds: int
    answer_seconds: int
    drain_seconds: int
    paths: tuple[str, ...]
    asides: tuple[str, ...]
    health: str
    present: str
    header: str
    by_body: bool
    backends: tuple[Backend, ...]
    confined: tuple[Confinement, ...]
    reason: str

    @property
    def low_port(self) -> bool:
        """Whether it listens where not everybody may."""
        return min(self.port, self.metrics_port) < FREE_PORT

    def secret(self, name: str) -> SecretFile | None:
        """Return the file of that name; None: the front has none."""
        return next((one for one in self.secrets if one.name == name), None)


KEYS: Final = "keys"
"""The file with the keys or passwords of clients."""
CERTIFICATE: Final = "certificate.pem"
"""The file with the certificate, and what vouches for it."""
CERTIFICATE_KEY: Final = "certificate.pem.key"
"""The file with the key of the certificate, where HAProxy looks for one beside it."""


def front_service(name: str) -> str:
    """Return what the Service of the front of a profile is called, and so its series' `service`."""
    return f"{name}-front"
