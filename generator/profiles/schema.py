"""The Profile: what a user may write, and nothing else. Schema version 1.

Only form is judged here (types, ranges, spelling). What a value means for a host or a release is
`resolve`'s business. Field docstrings feed the JSON Schema and the reference page.
"""

# No `annotations` from __future__: pydantic would compile each of them again, on every start.
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from generator.profiles import fields


class Table(BaseModel):
    """A table of the profile: frozen, strict, no key that is not listed."""

    # defer_build: only Profile's validator is ever built, once, not one per table as well. That is
    # why the defaults of its tables are constructed and not validated.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Cpu(Table):
    """The processor of the host."""

    model: fields.Text = ""
    """Model name, for comments."""
    sockets: int = Field(default=1, ge=1, le=64)
    """Sockets in use."""
    cores: int = Field(ge=1, le=4096)
    """Physical cores over all sockets; compute threads above it rarely help."""
    threads: int = Field(default=0, ge=0, le=8192)
    """Hardware threads over all sockets; left out: as many as cores."""
    features: tuple[fields.Word, ...] = ()
    """Instruction set features, as in /proc/cpuinfo."""

    @field_validator("threads")
    @classmethod
    def _threads_cover_cores(cls, threads: int, others: ValidationInfo) -> int:
        if 0 < threads < others.data.get("cores", 0):
            raise ValueError("there are fewer threads than cores; threads counts hardware threads")
        return threads

    @property
    def hardware_threads(self) -> int:
        """Hardware threads, with `threads` left out meaning one per core."""
        return self.threads or self.cores


class HostGpu(Table):
    """One GPU of the host."""

    name: fields.Text
    """Product name, as `nvidia-smi -L` prints it."""
    memory: fields.Size
    """Memory of the card; for unified memory, the memory of the machine."""
    compute_capability: fields.ComputeCapability = ""
    """NVIDIA compute capability; left out: looked up by name."""
    vendor: Literal["nvidia", "amd", "intel"] | None = None
    """Whose it is, which decides what computes on it; left out: by name or id."""
    pci_id: fields.PciId = ""
    """Vendor and device, and the revision where it matters, as `lspci -nn` prints them."""
    uuid: fields.Text = ""
    """UUID, as `nvidia-smi -L` prints it."""
    reserved: fields.SizeOrZero = 0
    """What a display or other programs hold of its memory; `gen fit` counts it as not free."""

    @field_validator("reserved")
    @classmethod
    def _reserved_within_memory(cls, reserved: int, others: ValidationInfo) -> int:
        if reserved > others.data.get("memory", reserved):
            raise ValueError("reserved is more than memory; it is the part of it that others hold")
        return reserved


class Host(Table):
    """Facts of the machine. What is left out is not known, and nothing is derived from it."""

    system: Literal["x86_64-linux", "aarch64-linux"] = "x86_64-linux"
    """Platform, as Nix names it."""
    memory: fields.Size | None = None
    """Memory that the operating system sees."""
    cpu: Cpu | None = None
    """The processor."""
    gpus: tuple[HostGpu, ...] = ()
    """The GPUs, in PCI bus order."""
    unified_memory: bool = False
    """True when the GPU shares the memory of the machine (GB10, Strix Halo)."""
    driver: fields.DriverVersion = ""
    """Version of the installed NVIDIA driver."""


class BuildChoice(Table):
    """A build of the server of one's own; what is left out is as the official build has it."""

    blas: Literal["openblas", "mkl"] | None = None
    """The library for large products of matrices, as those of a prompt."""
    openmp: bool = False
    """Compute threads by OpenMP instead of ggml's own."""
    march: fields.Word | None = None
    """The processor, as GCC names it: `haswell`; left out: all variants, chosen when it starts."""


class Ollama(Table):
    """What the server reads. A key left out keeps the default of the release."""

    version: fields.ReleaseText | None = None
    """Release or release line that the output is for; left out: the newest known."""
    acceleration: Literal["cpu", "cuda", "rocm", "vulkan"] | None = None
    """What computes; left out: what the release has for the GPUs, and `cpu` without any."""
    host: fields.Address = "127.0.0.1"
    """Address that the API listens on, without brackets. The API has no authentication."""
    port: int = Field(default=11434, ge=1, le=65535)
    """Port of the API."""
    open_firewall: bool = False
    """Open the port in the host's firewall, where the target has one."""
    models_dir: fields.Path | None = None
    """Where models are stored; left out: under the home of the service."""
    keep_alive: fields.GoDuration | None = None
    """How long an idle model stays loaded: a Go duration or seconds; negative: for ever."""
    load_timeout: fields.GoDuration | None = None
    """Give up on a load without progress after this long."""
    max_queue: int | None = Field(default=None, ge=1)
    """Requests that may wait for a model to be loaded; one more is answered 503.

    Those for a loaded model wait for one of its slots, however many they are.
    """
    num_parallel: int | None = Field(default=None, ge=1, le=1024)
    """Request slots per loaded model; each has the full context length."""
    max_loaded_models: int | None = Field(default=None, ge=1, le=1024)
    """Models resident at the same time."""
    context_length: int | None = Field(default=None, ge=4)
    """Tokens of context per slot, where neither request nor model says otherwise."""
    kv_cache_type: fields.KvCacheType | None = None
    """Element type of the KV cache: `f16`, `q8_0`, `q4_0`; quantised types need flash attention."""
    prompt_cache: fields.Bound | None = None
    """Host memory in which each loaded model keeps earlier prompts; left out: 8 GiB since 0.30."""
    flash_attention: bool | None = None
    """Force flash attention on or off; left out: the release decides by device and model."""
    llm_library: fields.Word | None = None
    """Restrict the compute libraries to this one; seldom useful."""
    sched_spread: bool | None = None
    """Put every model on all GPUs, even one that a single GPU could hold."""
    gpu_overhead: fields.Size | None = None
    """Memory to leave free on every GPU."""
    origins: tuple[fields.Origin, ...] | None = None
    """Further origins that browsers may call from (CORS); this is no access control."""
    debug: bool | None = None
    """Verbose log."""
    noprune: bool | None = None
    """Keep unused blobs at start."""
    no_cloud: bool | None = None
    """Refuse cloud models and remote inference, and ask ollama.com for nothing at a start."""
    build: BuildChoice | None = None
    """Build the server anew, with a BLAS library, OpenMP, or for one processor, since 0.30."""
    env: dict[fields.Variable, fields.EnvValue] = {}
    """Any other variable, emitted as written and checked against the release."""


class Vllm(Table):
    """What only vLLM has; what both engines have stands in `[ollama]`, which is the intent."""

    version: fields.ReleaseText | None = None
    """Release or release line of vLLM; left out: the newest known."""
    gpu_memory_utilization: float | None = Field(default=None, gt=0, le=1)
    """Share of each card that it takes, weights and cache together; left out: 0.92, less where the
    card has the memory of the machine or `ollama.gpu_overhead` keeps some free."""
    tensor_parallel: int | None = Field(default=None, ge=1, le=64)
    """Cards that each layer is split over; left out: 1, or all by `ollama.sched_spread`."""
    tool_parser: fields.Word | None = None
    """How calls of tools are read from answers: `llama3_json`, `hermes`; left out: they are not."""
    revision: fields.Word | None = None
    """Branch, tag or commit of the repository."""
    env: dict[fields.Variable, fields.EnvValue] = {}
    """Variables of vLLM, emitted as written; tokens belong into a file of variables."""


class Resources(Table):
    """Limits of the service; sizes are binary, as systemd reads them (`20G` is 20 × 2³⁰)."""

    cpu_quota: fields.Quota | None = None
    """Share of CPU time in percent of one CPU; left out: derived from the threads."""
    cpus: int | None = Field(default=None, ge=1, le=8192)
    """The same as `cpu_quota`, in whole CPUs."""
    cpu_weight: fields.Weight | None = None
    """Share of CPU time under contention; 100 is what every service has."""
    allowed_cpus: fields.CpuList | None = None
    """CPUs that the service may run on."""
    memory_max: fields.Limit | None = None
    """Hard memory limit; above it the kernel kills. Left out: derived from the host's memory."""
    memory_high: fields.Limit | None = None
    """Above this the kernel reclaims and slows the service down."""
    memory_swap_max: fields.Bound | None = None
    """Swap that the service may use; left out: 0, no swap, where its memory has a limit."""
    numa_policy: Literal["default", "preferred", "bind", "interleave", "local"] | None = None
    """Memory placement over NUMA nodes."""
    numa_mask: fields.CpuList | None = None
    """NUMA nodes that the policy is about."""
    io_weight: fields.Weight | None = None
    """Share of disk time under contention; 100 is what every service has."""
    nice: int | None = Field(default=None, ge=-20, le=19)
    """Nice level."""
    tasks_max: Annotated[int, Field(ge=1)] | Literal["infinity"] | None = None
    """Processes and threads together."""
    limit_memlock: fields.Bound | None = None
    """Memory that may be locked; needed for `LLAMA_ARG_MLOCK`."""
    oom_score_adjust: int | None = Field(default=None, ge=-1000, le=1000)
    """How readily the kernel kills this service when memory runs out."""

    @field_validator("cpus")
    @classmethod
    def _one_quota(cls, cpus: int | None, others: ValidationInfo) -> int | None:
        if cpus is not None and others.data.get("cpu_quota") is not None:
            raise ValueError("`cpus` and `cpu_quota` say the same thing; keep one of them")
        return cpus


class Threads(Table):
    """Compute threads."""

    count: int | None = Field(default=None, ge=1, le=8192)
    """Compute threads per model; left out: one per physical core."""


class GpuChoice(Table):
    """Which GPUs the service uses, and how."""

    visible_devices: tuple[fields.DeviceId, ...] = ()
    """Indices or UUIDs of the GPUs to use, in order; left out: all."""
    device_order: Literal["PCI_BUS_ID", "FASTEST_FIRST"] | None = None
    """What indices count: `PCI_BUS_ID` is the order of `nvidia-smi`."""
    layers: Annotated[int, Field(ge=0)] | Literal["fit"] | None = None
    """Layers on the GPU: `fit` is as many as fit, which is the default; a number forces it."""
    wait_seconds: int = Field(default=30, ge=0, le=60)
    """How long to wait for the GPU's device node; systemd allows a start 90 seconds in all."""


class Model(Table):
    """A model to have on the host."""

    name: fields.ModelName
    """Name in the registry, with its tag."""
    hf: fields.HfName | None = None
    """The repository of Hugging Face with the same model, for an engine that loads those."""
    hf_bits: Literal[4, 8, 16] = 16
    """Bits of a weight in that repository: 8 for FP8 and the like, 4 for AWQ, GPTQ or NVFP4."""
    role: Literal["main", "research", "fallback", "embedding"] = "main"
    """What clients use it for."""
    digest: fields.Digest = ""
    """Digest of the model that was meant, as `ollama list` prints it; `gen verify` compares, a pull
    cannot ask for it."""
    preload: bool = False
    """Load it at start."""
    serve_as: fields.ModelName | None = None
    """Name of the model created with `parameters`; left out: the tag with `-tuned`."""
    parameters: dict[fields.Word, bool | int | float | fields.Text | tuple[fields.Text, ...]] = {}
    """`PARAMETER` lines of a Modelfile: num_ctx, num_gpu, temperature, …"""


class Instance(Table):
    """One of several servers on the host. What is left out is as in the tables above.

    `[resources]` is what all of them may have together, and is divided between them.
    """

    name: fields.Name
    """Name of the server: its unit is `ollama@NAME.service`, its container `ollama-NAME`."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the API; left out: the first one free, counted from `ollama.port`."""
    gpus: tuple[fields.DeviceId, ...] | None = None
    """GPUs that no other server has; `[]`: it computes on the CPU. Left out: all."""
    numa_node: int | None = Field(default=None, ge=0, le=1023)
    """The NUMA node whose CPUs and memory it has; needs `host.cpu.sockets`."""
    allowed_cpus: fields.CpuList | None = None
    """CPUs that it may run on; left out: those of its NUMA node, or those of all."""
    models: tuple[fields.ModelName, ...] | None = None
    """Names of `[[models]]` that it is for; left out: all."""
    pulls: bool = False
    """It pulls and creates the models of all, whose store it alone writes; left out: the first."""
    num_parallel: int | None = Field(default=None, ge=1, le=1024)
    """Request slots per loaded model."""
    max_loaded_models: int | None = Field(default=None, ge=1, le=1024)
    """Models resident at the same time."""
    context_length: int | None = Field(default=None, ge=4)
    """Tokens of context per slot."""
    keep_alive: fields.GoDuration | None = None
    """How long an idle model stays loaded."""
    kv_cache_type: fields.KvCacheType | None = None
    """Element type of the KV cache."""


class WarmupChoice(Table):
    """Load models after start; it never blocks the service."""

    enable: bool | None = None
    """Left out: on when a model has `preload`."""
    timeout: fields.Timeout = "5m"
    """Bound on the whole warm-up."""
    tokens: Literal[0, 1] | None = None
    """Tokens that each model computes; left out: 1 where the driver compiles kernels for the GPU at
    their first use, 0 elsewhere."""


class Credential(Table):
    """A file on the host that systemd hands to the server alone, systemd.exec(5), CREDENTIALS."""

    path: fields.SecretPath
    """The file on the host; it is read when the server starts, and must be there then."""
    encrypted: bool = False
    """Whether `systemd-creds encrypt` has made it, under the name of the credential."""


class ServiceChoice(Table):
    """How systemd runs the server."""

    binary: fields.Path = "/usr/local/bin/ollama"
    """The ollama program; the official installer puts it there."""
    user: fields.Word | None = None
    """User of the service; left out: the one that the existing unit has."""
    group: fields.Word | None = None
    """Group of the service; left out: as the user."""
    home: fields.Path | None = None
    """Home of the service user; left out: the one that the existing unit has."""
    restart: Literal["no", "on-success", "on-failure", "on-abnormal", "on-abort", "always"] = (
        "always"
    )
    """When systemd starts the server again."""
    restart_seconds: int = Field(default=3, ge=0, le=3600)
    """Pause before it does."""
    full_unit: bool = False
    """Write a complete hardened `ollama.service` instead of drop-ins (target `systemd`)."""
    environment_files: tuple[fields.SecretPath, ...] = ()
    """Files on the host with variables that no output may hold, as tokens; they win over others."""
    credentials: dict[fields.Word, Credential] = {}
    """Files that the server alone may read: its key `id_ed25519`, certificates `SSL_CERT_FILE`."""
    sandbox_jobs: bool = True
    """Whether systemd keeps the jobs from what they do not need."""
    resume_fix: bool = False
    """Reload the NVIDIA memory module after suspend, where the server would fall back to CPU."""


class ContainerChoice(Table):
    """How a container engine runs the server."""

    image: fields.ImageName | None = None
    """Image without its tag; left out: the official one."""
    tag: fields.Word | None = None
    """Tag; left out: the release, with `-rocm` for ROCm."""
    name: fields.Word = "ollama"
    """Name of the container; left out: in a project of Compose, it is named by that."""
    service: fields.Word | None = None
    """Name of its service in a file for Compose; left out: that of the container."""
    project: fields.Project | None = None
    """Project of Compose that the service is of; left out: one with the name of the profile."""
    compose: Literal["project", "fragment", "override"] = "project"
    """What the file for Compose is: a project, one to include in another, one over its service."""
    volume: fields.Word = "ollama"
    """Named volume for keys and models."""
    home_dir: fields.Path | None = None
    """A directory on the host for keys and models, as one that is there, in place of the volume."""
    network: fields.Word | None = None
    """An existing network to join."""
    env_files: tuple[fields.SecretPath, ...] = ()
    """Files on the host with variables for the container, after `service.environment_files`."""
    restart: Literal["no", "always", "on-failure", "unless-stopped"] = "unless-stopped"
    """When the engine starts the container again."""
    rootless: bool = False
    """Podman runs it as an ordinary user; left out: as root."""
    user: fields.UserNumbers | None = None
    """Whom the server runs as, like `1000:1000`; needs `home_dir`. Left out: root of the image."""
    no_new_privileges: bool = True
    """Nothing in the container gains rights by starting a program."""
    capabilities: tuple[fields.Capability, ...] | Literal["default"] = ()
    """Capabilities to keep beside those that it needs; `default`: all that the engine gives."""
    read_only: bool = True
    """What the image has is not changed; written are volumes, and what goes with the container."""


class KubernetesChoice(Table):
    """How the server runs in Kubernetes."""

    namespace: fields.Label | None = None
    """Namespace, which must be there; left out: the one that the files are applied to, or with a
    `[front]` one of the profile's name."""
    replicas: int = Field(default=1, ge=1, le=1000)
    """Servers that are alike, each in a pod with models of its own."""
    storage: fields.Size | None = None
    """Size of the claim of a pod; left out: what the models need, and one of them once more."""
    storage_class: fields.ResourceName | None = None
    """Storage class of the claims; left out: the cluster's own."""
    gpu: Literal["device-plugin", "dra"] = "device-plugin"
    """Who hands out the GPUs: the vendor's device plugin, or its driver for resource claims."""
    gpu_resource: fields.LabelKey | None = None
    """What a GPU is called, like `nvidia.com/mig-1g.10gb`, or its device class for claims."""
    node_selector: dict[fields.LabelKey, fields.LabelValue] = {}
    """Labels of the nodes to run on; left out: those of the GPU's product, where it is NVIDIA's."""
    runtime_class: fields.ResourceName | None = None
    """Runtime class of the pods, like `nvidia` where that is not the node's default."""
    cluster_domain: fields.ResourceName = "cluster.local"
    """Domain of the cluster, below which its DNS has Services."""
    longest_answer: fields.Timeout = "10m"
    """How long a pod that is to stop may go on with the answers that it has begun."""
    serve: Literal["statefulset", "kserve"] = "statefulset"
    """What makes the pods: a StatefulSet, or KServe of an LLMInferenceService, for vLLM alone."""
    router: Literal["none", "route", "scheduler"] = "none"
    """What KServe puts before the pods: a `route` from its gateway to all of them, or a `scheduler`
    as well, which picks the pod for each request; left out: its Service alone."""


class Slo(Table):
    """What the service promises its clients; `gen bench` counts the requests that keep it."""

    ttft: fields.Timeout | None = None
    """From a request to its first token, at most."""
    itl: fields.Timeout | None = None
    """Between two tokens of an answer, on the mean, at most."""
    tokens_per_second: float | None = Field(default=None, gt=0, le=1e6)
    """Tokens per second that one client gets, at least."""
    p95: fields.Timeout | None = None
    """The whole answer, for 95 % of the requests, at most."""
    vram_percent: float | None = Field(default=None, gt=0, le=100)
    """Of the memory of the fullest GPU, in use while a load runs, at most."""


class SemanticChoice(Table):
    """A cache that answers by likeness of questions, and gives wrong answers by it (HW623)."""

    model: fields.ModelName
    """The model that makes vectors of questions: one of `[[models]]`, with the role `embedding`."""
    qdrant: fields.HttpUrl
    """URL of the Qdrant server that keeps them; nothing is installed for it."""
    threshold: float = Field(default=0.92, gt=0, le=1)
    """How alike two questions are that get one answer, at least: a cosine."""
    scope: Literal["key", "end_user"] = "end_user"
    """Whose answers a question may get: those of its key, or of its `user` too."""
    max_messages: int = Field(default=1, ge=1, le=64)
    """A request with more messages is not looked up; 1: a single question without a system text."""


class CacheChoice(Table):
    """A LiteLLM before the servers, which answers what was asked before by itself."""

    host: fields.Address = "127.0.0.1"
    """Address that it listens on, without brackets."""
    port: int = Field(default=4000, ge=1, le=65535)
    """Port of its OpenAI API."""
    program: fields.Path = "/opt/litellm/bin/litellm"
    """The litellm program, where units run it; pip puts it into an environment of its own."""
    key_file: fields.SecretPath = "/etc/hostwright/litellm.env"
    """File on the host that sets `LITELLM_MASTER_KEY`, which clients send; it has to be there."""
    namespace: fields.Word | None = None
    """What the keys in Redis begin with; left out: the name of the profile."""
    ttl: fields.Timeout = "1h"
    """How long an answer is kept."""
    supported_call_types: tuple[
        Literal["acompletion", "atext_completion", "aembedding", "aresponses"], ...
    ] = ("acompletion", "aembedding")
    """Which calls are looked up, in LiteLLM's words: `acompletion` is a chat."""
    mode: Literal["default_on", "default_off"] | None = None
    """`default_off`: only requests that ask for it; left out: so where `semantic` is there."""
    max_messages: int | None = Field(default=None, ge=1, le=1024)
    """A request with more messages is not looked up, since LiteLLM 1.108; left out: 4 there."""
    memory: fields.Size = 2**28
    """Memory for answers, as Redis counts it; left out: 256 MiB."""
    policy: Literal[
        "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl", "noeviction"
    ] = "allkeys-lru"
    """What goes first when that is full, in Redis' words."""
    redis_port: int = Field(default=6380, ge=1, le=65535)
    """Port of its Redis on the loopback; 6379 is that of the distribution's own."""
    redis_program: fields.Path = "/usr/bin/redis-server"
    """The redis-server program, where units run it."""
    semantic: SemanticChoice | None = None
    """Answer by likeness instead; LiteLLM has one cache, so that Redis is not used then."""


class Receiver(Table):
    """Who is told of an alert. Without any, alerts stand in Alertmanager and reach nobody."""

    webhook: fields.Url | None = None
    """URL that Alertmanager posts alerts to."""
    webhook_token_file: fields.SecretPath | None = None
    """File with the bearer token for it."""
    slack_url_file: fields.SecretPath | None = None
    """File with the URL of an incoming webhook of Slack, or of what takes the same."""
    slack_channel: fields.Channel | None = None
    """Channel, where the URL does not say so already."""
    email_to: fields.Email | None = None
    """Address that mail goes to; needs `email_from` and `smarthost`."""
    email_from: fields.Email | None = None
    """Address that mail comes from."""
    smarthost: fields.HostPort | None = None
    """Mail server, like `mail.example.org:587`."""
    email_user: fields.Login | None = None
    """Who logs in there; left out: the server asks nobody."""
    email_password_file: fields.SecretPath | None = None
    """File with the password."""


class Monitor(Table):
    """What is watched while the server runs: files for Prometheus, Alertmanager and Grafana.

    Thresholds that are left out come from `[slo]`, or are those that the documentation names.
    """

    enable: bool = False
    """Write them, as the folder `monitor` of each bundle."""
    interval: fields.Timeout = "15s"
    """Time between two scrapes."""
    address: fields.Address = "127.0.0.1"
    """Where Prometheus reaches the exporters of this host."""
    alertmanager: fields.HostPort = "127.0.0.1:9093"
    """Where Prometheus reaches Alertmanager."""
    node_port: int = Field(default=9100, ge=1, le=65535)
    """Port of node_exporter."""
    blackbox_port: int = Field(default=9115, ge=1, le=65535)
    """Port of blackbox_exporter."""
    dcgm_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of dcgm_exporter; left out: the driver's own `nvidia-smi` is asked."""
    redis_port: int = Field(default=9121, ge=1, le=65535)
    """Port of redis_exporter, which tells hits where `[cache]` has a Redis."""
    textfile_dir: fields.Path = "/var/lib/prometheus/node-exporter"
    """Directory that node_exporter reads files of metrics from; Debian's package has this one."""
    runner_metrics: bool = True
    """Have the program of each model tell its tokens, where the release has one that does."""
    throttled_percent: float | None = Field(default=None, gt=0, lt=100)
    """Share of CPU periods in which the service may be throttled; left out: 25."""
    memory_percent: float | None = Field(default=None, gt=0, lt=100)
    """Share of its memory limit that the service may fill; left out: 90."""
    disk_percent: float | None = Field(default=None, gt=0, lt=100)
    """Share of the disk of the models that must be free; left out: 15."""
    vram_percent: float | None = Field(default=None, gt=0, lt=100)
    """Share of the memory of a GPU that may be full; left out: that of `[slo]`, or 90."""
    gpu_percent: float | None = Field(default=None, gt=0, le=100)
    """Share of a model that must be on GPUs; left out: some of it."""
    ttft: fields.Timeout | None = None
    """Time to the first byte; left out: that of `[slo]`, or 500 ms with GPUs, 10 s without."""
    queue: int | None = Field(default=None, ge=1)
    """Requests that may wait in the front; left out: as many as are answered at once."""
    degraded_percent: float | None = Field(default=None, gt=0, lt=100)
    """Share of the remembered speed of a model that is too slow; left out: 50."""
    receiver: Receiver = Receiver.model_construct()
    """Who is told of an alert."""


class FrontChoice(Table):
    """One address before the servers: who is let in, and how requests wait."""

    kind: Literal["haproxy", "caddy", "none"] = "haproxy"
    """The program: HAProxy has a queue that can be seen; `none`: there is no front."""
    host: fields.Address = "127.0.0.1"
    """Address that the front listens on, without brackets."""
    port: int = Field(default=11433, ge=1, le=65535)
    """Port that clients ask."""
    auth: Literal["bearer", "basic"] | None = None
    """What clients show: a key, or a name and a password; left out: everybody is let in."""
    auth_file: fields.SecretPath | None = None
    """File on the host with the keys or passwords; no output holds any."""
    certificate: fields.SecretPath | None = None
    """File on the host with the certificate and what vouches for it; left out: no TLS."""
    certificate_key: fields.SecretPath | None = None
    """File on the host with the key of the certificate."""
    queue_timeout: fields.Timeout = "1m"
    """How long a request waits for a slot; then it is answered 503, with `Retry-After`."""
    answer_timeout: fields.Timeout = "30m"
    """How long a server may be silent; an answer that is not streamed is, until it is whole."""
    drain_timeout: fields.Timeout = "5m"
    """How long answers that run may take to end when the front is stopped."""
    health: Literal["answers", "loaded"] = "answers"
    """When a server is given requests: once it answers, or once its `preload` models are loaded."""
    allow: tuple[fields.UrlPath, ...] = ()
    """Paths that are open beside those that clients compute with, like `/api/pull`."""
    route_by_body: bool = False
    """Read the model from the request itself where servers have different ones."""
    metrics_host: fields.Address = "127.0.0.1"
    """Address of the metrics for Prometheus, without brackets."""
    metrics_port: int = Field(default=8405, ge=1, le=65535)
    """Port of the metrics."""
    program: fields.Path | None = None
    """The program, where a unit runs it; left out: where the package of Debian puts it."""
    image: fields.FrontImage | None = None
    """Image with its tag, for containers; left out: the official one."""


class Period(Table):
    """A part of the day or week on one host: from when it is so, and what is so then."""

    name: fields.Name
    """Its name, like `night`."""
    begins: Annotated[tuple[fields.Calendar, ...], Field(min_length=1)]
    """When it begins, in systemd's words: `07:00`, `Mon..Fri 07:00`; another one ends it."""
    cpu_weight: fields.Weight | None = None
    """Share of CPU time under contention then; 100 is what every service has."""
    cpu_quota: fields.Quota | None = None
    """Bound of CPU time then, in percent of one CPU: never less than a CPU for each thread."""
    models: tuple[fields.ModelName, ...] | None = None
    """Models of `[[models]]` to have loaded then; those of the other periods are unloaded."""


class ScaleChoice(Table):
    """How the service is another one at other times, or under another load."""

    periods: tuple[Period, ...] = ()
    """Day and night on one host, by timers of systemd."""
    max_replicas: int | None = Field(default=None, ge=1, le=1000)
    """On Kubernetes, pods at most: KEDA adds them as requests wait at the front, from
    `k8s.replicas` on; left out: there are always as many."""
    prometheus: fields.HttpUrl = "http://prometheus-operated.monitoring:9090"
    """Where KEDA asks the Prometheus of the cluster."""


class Ignored(Table):
    """A rule that does not hold here."""

    rule: fields.RuleId
    """Its id, like `HW201`."""
    reason: fields.Reason
    """Why; whoever reads the profile next wants to know."""


class CheckChoice(Table):
    """What `gen check` and the remarks of other commands leave out."""

    ignore: tuple[Ignored, ...] = ()
    """Rules whose findings are not shown, each with a reason."""


class Profile(Table):
    """One inference host and its tuning."""

    model_config = ConfigDict(title="Hostwright profile, schema version 1")

    schema_version: fields.Version
    """Version of this format."""
    name: fields.Name
    """Name of the profile: lower-case letters, digits and `-`."""
    description: fields.Text = ""
    """One line for people."""
    extends: fields.Text | None = None
    """A shipped profile's name or a path; its tables are merged under this file's."""
    host: Host = Host.model_construct()
    """Facts of the machine."""
    engine: Literal["ollama", "vllm"] | None = None
    """The server; left out: Ollama. `[ollama]` says what is wanted of either."""
    ollama: Ollama = Ollama.model_construct()
    """What the server reads."""
    vllm: Vllm = Vllm.model_construct()
    """What only vLLM has."""
    resources: Resources = Resources.model_construct()
    """Limits of the service."""
    threads: Threads = Threads.model_construct()
    """Compute threads."""
    gpu: GpuChoice = GpuChoice.model_construct()
    """Which GPUs the service uses, and how."""
    models: tuple[Model, ...] = ()
    """Models to have on the host."""
    instances: tuple[Instance, ...] = ()
    """Several servers on this host, each with GPUs or CPUs of its own; left out: one."""
    warmup: WarmupChoice = WarmupChoice.model_construct()
    """Load models after start."""
    service: ServiceChoice = ServiceChoice.model_construct()
    """How systemd runs the server."""
    container: ContainerChoice = ContainerChoice.model_construct()
    """How a container engine runs the server."""
    k8s: KubernetesChoice = KubernetesChoice.model_construct()
    """How the server runs in Kubernetes."""
    front: FrontChoice | None = None
    """One address before the servers; left out: clients ask them themselves."""
    slo: Slo = Slo.model_construct()
    """What the service promises its clients."""
    scale: ScaleChoice = ScaleChoice.model_construct()
    """How the service is another one at other times, or under another load."""
    cache: CacheChoice | None = None
    """Answer what was asked before, by LiteLLM and Redis; left out: nothing does."""
    monitor: Monitor = Monitor.model_construct()
    """What is watched while the server runs."""
    check: CheckChoice = CheckChoice.model_construct()
    """Which findings are not shown."""
