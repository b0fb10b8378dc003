"""How a Service runs in Kubernetes, decided: records of a Plan, as plain data.

Each has the reason why it is what it is; a target prints them and decides nothing.
"""

from __future__ import annotations

from typing import Literal

from generator.records import dataclass

Maker = Literal["nvidia", "amd", "intel"]
GpuMode = Literal["device-plugin", "dra"]
Router = Literal["none", "route", "scheduler"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The claim of a pod: `size` in bytes, of a `storage_class` (empty: that of the cluster)."""

    size: int
    storage_class: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How the kubelet asks: a GET of `path`, or the command `argv`, of which one is empty.

    It asks every `interval_seconds`, waits `timeout_seconds`, and believes it after `failures`.
    """

    path: str = ""
    argv: tuple[str, ...] = ()
    interval_seconds: int
    timeout_seconds: int
    failures: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRule:
    """What a node must have: a `label` with one of these `values`."""

    label: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodGpus:
    """The GPUs of a pod: so many (`count`) of the `resource` of its `maker`'s device plugin.

    With `mode` `dra` they are those of a claim instead: devices of `device_class` that satisfy
    each of the `selectors`, which are CEL, for the `selectors_reason`. `taints` are what keeps
    other pods from such nodes.
    """

    mode: GpuMode
    maker: Maker
    resource: str
    count: int
    device_class: str
    selectors: tuple[str, ...]
    taints: tuple[str, ...]
    reason: str
    selectors_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The Helm chart of others that runs the engine, at the `version` that values are for."""

    name: str
    repository: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How many pods there are, by what waits: for each `threshold` of what `query` tells, one.

    The query is PromQL, for the Prometheus at `address`. Pods go one by one, `pause_seconds` apart
    and after so much time without need of them. `own` are the metrics by which the servers tell the
    same themselves (none: they do not), for whoever has no front.
    """

    address: str
    query: str
    query_reason: str
    threshold: int
    threshold_reason: str
    pause_seconds: int
    pause_reason: str
    own: tuple[str, ...] = ()
    own_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kserve:
    """KServe makes the pods, of an LLMInferenceService; what is decided otherwise for that.

    The `version` or a later one is there, and has servers listen at `port`. Before them is its
    `router`, for the `reason`. Of the `disk` of a node a pod takes so much, and of `start` only how
    often and how long it is asked counts. `everywhere` is as of a Pod.
    """

    version: str
    port: int
    router: Router
    reason: str
    disk: Storage
    start: Probe
    everywhere: bool
    reach_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of a StatefulSet with so many `replicas`, each with a claim of its own.

    There are never more than `most`, and as many as `scaling` says (None: always the same). The DNS
    has them below the `domain` of the cluster. A program beside the server, as a front, asks for
    `beside_cpu` and `beside_memory`, and has `beside_seconds` for its end, as `beside_reason` says;
    after `leave_seconds` nobody is sent to a pod that is to stop.

    `namespace` empty: whichever it is applied to. `user` is the number that user and group have,
    `home` where keys and models are, below what `home_variable` says, and `writes` are directories
    that go with the pod. `read_only`: nothing else of the image is changed; `escalates`: programs
    may gain rights. `cpu` is what is asked of a node, in thousandths of a CPU, and `memory` in
    bytes. A server answers within `wait_seconds`. `start` says that it may be asked, `ready` that
    it is, `alive` that it need not be started again. `drain` is what runs before it is stopped, at
    most for `grace_seconds`. `everywhere`: pods of other namespaces reach it as well. `kserve` is
    what is otherwise where that makes the pods (None: it does not), `chart` that of Helm (None: no
    chart is known).
    """

    namespace: str
    replicas: int
    most: int
    domain: str
    user: int
    user_reason: str
    home: str
    home_variable: str
    writes: tuple[str, ...]
    read_only: bool
    escalates: bool
    storage: Storage
    cpu: int
    memory: int
    requests_reason: str
    gpus: PodGpus | None
    nodes: tuple[NodeRule, ...]
    runtime_class: str
    wait_seconds: int
    start: Probe
    ready: Probe
    alive: Probe
    beside_cpu: int
    beside_memory: int
    beside_seconds: int
    beside_reason: str
    leave_seconds: int
    drain: tuple[str, ...]
    drain_reason: str
    grace_seconds: int
    grace_reason: str
    everywhere: bool
    reach_reason: str
    scaling: Scaling | None = None
    kserve: Kserve | None = None
    chart: Chart | None = None
