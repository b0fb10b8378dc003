"""Facts: what the world is like for one release of one engine. Made by `Catalogue.at`."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from generator.catalogue.accepted import Accepted
from generator.catalogue.clients import ClientFact
from generator.catalogue.hardware import DockerDriver, GpuGeneration, Library, Radeon, WorkspaceFact
from generator.catalogue.models import (
    NEAR_SAID,
    Architecture,
    ContextFloor,
    ContextTier,
    How,
    Keeps,
    MissingModel,
    ModelFact,
    OneSlot,
    Quantisation,
    Tag,
    context_said,
    plain,
    quantisation,
    whole,
)
from generator.catalogue.nixos import ModuleOption, ModuleVariable
from generator.catalogue.records import (
    Behaviour,
    BlasFact,
    ChartFact,
    CommandFact,
    CredentialFact,
    DeadName,
    Era,
    Expiring,
    FrontFact,
    Gate,
    HubFact,
    Image,
    KserveFact,
    LogFault,
    MarchFact,
    NoCommand,
    Option,
    Recipe,
    Routes,
    RunnerNames,
    RunnerReading,
    SecretNames,
    ServeGone,
    ServeNames,
    ServeOption,
    Table,
    Taken,
    Variable,
    record,
)
from generator.units import Release, closest

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from generator.catalogue.cards import Card, Cards
    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.speed import Rates
    from generator.host import Gpu


_NUMBERED: Final = re.compile(r"([a-z][a-z-]*)(\d+(?:\.\d+)?)", re.ASCII)
NEAR: Final = 0.8  # as near as a slip of the finger
# Tags that the Catalogue does not list: of the cloud, of MLX, and with a draft model.
_UNLISTED: Final = re.compile("cloud|mlx|nvfp4|mxfp|int[48]|mtp|dflash")


_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)b")


_QUANTISED: Final = re.compile(r"(\d+(?:\.\d+)?b)-((?:iq|q)\d\w*|fp16|f16|bf16)")
"""A tag that names a size and a quantisation, and not which of its models that is."""


class Facts:
    """The facts of one `release`; `at` is the release that they are of.

    They are those of the final release for a candidate, and of the newest known for one that is
    younger. Records that they return answer for that release, too.
    """

    def __init__(self, catalogue: Catalogue, engine: str, release: Release) -> None:
        final = Release(release.major, release.minor, release.patch)
        self._catalogue = catalogue
        self._tables = catalogue.tables
        self.engine = engine
        self.release = release
        self.at = min(final, catalogue.newest)
        self._generations: dict[str, GpuGeneration | None] = {}
        self._accepted: dict[str, Accepted] = {}
        self._models: dict[str, ModelFact | None] = {}

    # Releases

    @property
    def known(self) -> bool:
        """Whether the Catalogue knows the release, or the final one that it is a candidate of."""
        return self._catalogue.knows(self.release)

    @property
    def beside(self) -> bool:
        """Whether most tables are of another engine, whose releases these are not."""
        return self._catalogue.beside

    @property
    def newest(self) -> Facts:
        """The Facts of the newest release known."""
        return self._catalogue.at(self.engine)

    @functools.cached_property
    def era(self) -> Era:
        """The period that the release is of."""
        eras = self._catalogue.all("era", Era)
        return max((era for era in eras if era.since <= self.at), key=lambda era: era.since)

    @property
    def start_of_era(self) -> Facts:
        """The Facts of the first release of the period."""
        return self._catalogue.at(self.engine, self.era.since)

    @functools.cached_property
    def behaviours(self) -> Mapping[str, Behaviour]:
        """What releases do, by id."""
        return Table(Behaviour, self._tables["behaviour"], "id")

    def behaves(self, name: str) -> bool:
        """Whether the release has the behaviour with that id."""
        return self.behaviours[name].covers(self.at)

    @property
    def log_faults(self) -> tuple[LogFault, ...]:
        """What lines of the server's log say that is wrong."""
        return self._catalogue.all("log_fault", LogFault)

    @property
    def clients(self) -> tuple[ClientFact, ...]:
        """What is known of programs that ask servers."""
        return self._catalogue.all("client", ClientFact)

    # Names

    @functools.cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The environment variables that some release reads."""
        return Table(Variable, self._tables["variable"], at=self.at)

    @functools.cached_property
    def options(self) -> Mapping[str, Option]:
        """The model options that some release has."""
        return Table(Option, self._tables["option"], at=self.at)

    @functools.cached_property
    def commands(self) -> Mapping[str, CommandFact]:
        """The commands of the engine's program, by each of their names."""
        return Table(CommandFact, self._tables["command"], "names", at=self.at)

    @functools.cached_property
    def no_commands(self) -> Mapping[str, NoCommand]:
        """What people take for a command of the engine's program, by each of its names."""
        return Table(NoCommand, self._tables["no_command"], "names")

    @functools.cached_property
    def dead_names(self) -> Mapping[str, DeadName]:
        """The names that no release reads."""
        return Table(DeadName, self._tables["dead"], "names", at=self.at)

    @property
    def runner_names(self) -> tuple[RunnerNames, ...]:
        """The names that llama-server reads beyond `variables`, by period."""
        return self._catalogue.all("runner_names", RunnerNames)

    @functools.cached_property
    def harmless(self) -> tuple[str, ...]:
        """The names that the release reads, without those that nobody should be led to."""
        known = (v.name for v in self.variables.values() if v.known and not v.dangerous)
        runner = (entry.names for entry in self.runner_names if entry.covers(self.at))
        return (*known, *chain.from_iterable(runner))

    def variable(self, name: str) -> Variable | None:
        """The variable of that name; None: it has no entry."""
        return self.variables.get(name)

    def default_number(self, name: str) -> int:
        """The default of the variable of that name; 0: it has none, or none that is a number."""
        variable = self.variable(name)
        text = variable.default if variable else None
        return int(text) if text and text.isdecimal() else 0

    def runner_reads(self, name: str) -> bool:
        """Whether llama-server reads `name`, though it has no entry of its own."""
        switch = self.negated(name)
        if variable := self.variable(switch):
            return variable.known
        current = (entry.names for entry in self.runner_names if entry.covers(self.at))
        return any(name in names or switch in names for names in current)

    @functools.cached_property
    def readings(self) -> Mapping[str, RunnerReading]:
        """What llama-server makes of the values of its variables."""
        return Table(RunnerReading, self._tables["runner_reading"], "names")

    def negated(self, name: str) -> str:
        """The switch that `LLAMA_ARG_NO_PERF` or the like turns off; empty: `name` is no such."""
        switch = name.replace("LLAMA_ARG_NO_", "LLAMA_ARG_", 1)
        variable = self.variable(switch)
        among = variable.two_ways if variable else any(switch in e.names for e in self.runner_names)
        return switch if among and switch != name else ""

    @functools.cached_property
    def blas(self) -> Mapping[str, BlasFact]:
        """The BLAS libraries that a build of one's own may have, by name."""
        return Table(BlasFact, self._tables["blas"])

    @functools.cached_property
    def fronts(self) -> Mapping[str, FrontFact]:
        """The programs that stand before servers, by name."""
        return Table(FrontFact, self._tables["front"])

    @functools.cached_property
    def recipe(self) -> Recipe:
        """How a build of one's own is made."""
        return record(Recipe, self._tables["recipe"])

    @functools.cached_property
    def marches(self) -> Mapping[str, MarchFact]:
        """The processors that a build of one's own may be for, by name."""
        return Table(MarchFact, self._tables["march"])

    @functools.cached_property
    def secrets(self) -> SecretNames:
        """Which variables hold a secret."""
        return record(SecretNames, self._tables["secret"])

    @functools.cached_property
    def credentials(self) -> Mapping[str, CredentialFact]:
        """What a credential of systemd can be to the server, by its name."""
        return Table(CredentialFact, self._tables["credential"])

    def legacy_names(self, intent: str) -> tuple[str, ...]:
        """The dead names that `--legacy-env` emits for the profile key `intent`."""
        entries = (table for table in self._tables["dead"] if table.get("intent") == intent)
        return tuple(name for table in entries for name in table.get("legacy", ()))

    def closest_option(self, name: str) -> str:
        """A hint at the option that was meant; empty: none comes close."""
        close = closest(name, (one for one, o in self.options.items() if o.known))
        return f"did you mean `{close}`?" if close else ""

    @functools.cached_property
    def serve_options(self) -> Mapping[str, ServeOption]:
        """The options of the command that starts the server, which the release has."""
        every = self._catalogue.all("serve_option", ServeOption)
        return {one.name: one for one in every if one.covers(self.at)}

    @functools.cached_property
    def serve_names(self) -> frozenset[str]:
        """All names of options that this command may know in the release."""
        if not self.beside:
            return frozenset()
        every = self._catalogue.all("serve_names", ServeNames)
        return frozenset(chain.from_iterable(one.names for one in every if one.covers(self.at)))

    @functools.cached_property
    def serve_gone(self) -> dict[str, str]:
        """Options that no known release has any more, and what does the same; empty: nothing."""
        every = self._catalogue.all("serve_gone", ServeGone) if self.beside else ()
        return {name: one.instead for one in every for name in one.names}

    @functools.cached_property
    def hub(self) -> HubFact:
        """How weights on the hub are quantised that an engine beside the first loads."""
        return record(HubFact, self._tables["hub"])

    @functools.cached_property
    def gates(self) -> tuple[Gate, ...]:
        """What a host needs so that the release computes there."""
        return tuple(gate for gate in self._catalogue.all("gate", Gate) if gate.covers(self.at))

    # Machine, image and unit

    def generations(self, gpus: Iterable[Gpu]) -> list[GpuGeneration]:
        """What is known of NVIDIA GPUs, in their order."""
        found = (self.generation(gpu.compute_capability) for gpu in gpus if gpu.compute_capability)
        return [generation for generation in found if generation is not None]

    def generation(self, capability: str) -> GpuGeneration | None:
        """The generation with a compute capability like `6.1`; None: not in the Catalogue."""
        if capability not in self._generations:
            self._generations[capability] = self._generation(capability)
        return self._generations[capability]

    def _generation(self, capability: str) -> GpuGeneration | None:
        for table in self._tables["gpu"]:
            if capability in table["capabilities"]:
                known, jetson = self._catalogue.all("library", Library), table.get("jetson", False)
                own = tuple(lib for lib in known if lib.serves(capability, jetson=jetson))
                bound = {"at": self.at, "capability": capability, "libraries": own}
                return record(GpuGeneration, table, **bound)
        return None

    @functools.cached_property
    def rocm_targets(self) -> frozenset[str]:
        """The AMD targets that there are kernels for, like `gfx1100`."""
        known = self._catalogue.all("radeon", Radeon)
        return frozenset(target for radeon in known if radeon.rocm for target in radeon.targets)

    @property
    def workspaces(self) -> Mapping[str, WorkspaceFact]:
        """What operations of Ollama's own engine take on cards, by library."""
        return Table(WorkspaceFact, self._tables["workspace"], "library")

    def card(self, name: str) -> Card | None:
        """The card of that name, with or without its maker's words; None: unknown."""
        return self._catalogue.cards.named(name)

    @property
    def cards(self) -> Cards:
        """All cards, to be found by what people type, and by PCI id."""
        return self._catalogue.cards

    @functools.cached_property
    def advised_cards(self) -> tuple[Card, ...]:
        """Cards to put into a host, the one with the least memory first."""
        cards = (card for card in self._catalogue.cards.all if card.advised)
        return tuple(sorted(cards, key=lambda card: card.memory))

    def library(self, vendor: str, target: str = "") -> Literal["", "cuda", "rocm", "vulkan"]:
        """What of the release computes on a GPU of that maker, and of AMD that `target`; empty:
        nothing does. Without a target AMD's is one that there are kernels for.
        """
        if vendor == "nvidia":
            return "cuda"
        if vendor == "amd" and (not target or target in self.rocm_targets):
            return "rocm"
        variable = self.variable("OLLAMA_VULKAN")  # which came late
        served = variable is not None and variable.known and vendor in {"amd", "intel"}
        return "vulkan" if served else ""

    def admits_integrated(self, library: str, target: str = "") -> bool:
        """Whether the release takes an integrated GPU by itself, without OLLAMA_IGPU_ENABLE=1."""
        variable = self.variable("OLLAMA_IGPU_ENABLE")
        if library == "cuda" or variable is None or not variable.known:
            return True
        known = self._catalogue.radeons.get(target)
        return library == "rocm" and not (known and known.needs_opt_in)

    @property
    def rates(self) -> Rates:
        """How fast devices, processors and disks are."""
        return self._catalogue.rates

    @functools.cached_property
    def image(self) -> Image:
        """The official container image."""
        return record(Image, self._tables["image"])

    @functools.cached_property
    def routes(self) -> Routes:
        """The paths of the server."""
        return record(Routes, self._tables["routes"])

    @functools.cached_property
    def chart(self) -> ChartFact | None:
        """The Helm chart that runs the engine; None: nobody has read one."""
        return Table(ChartFact, self._tables["chart"], "engine").get(self._tables["engine"])

    @functools.cached_property
    def kserve(self) -> KserveFact:
        """KServe, which may run the engine in a cluster."""
        return record(KserveFact, self._tables["kserve"])

    @functools.cached_property
    def directives(self) -> dict[str, frozenset[str]]:
        """What systemd reads, by section."""
        found: dict[str, frozenset[str]] = {}
        for table in self._tables["directives"]:
            found[table["section"]] = found.get(table["section"], frozenset()).union(table["names"])
        return found

    # The module of NixOS

    @functools.cached_property
    def module_options(self) -> Mapping[str, ModuleOption]:
        """The options that the module has in some release of NixOS."""
        return Table(ModuleOption, self._tables["module_option"])

    @functools.cached_property
    def module_variables(self) -> Mapping[str, ModuleVariable]:
        """The variables that the module sets itself."""
        return Table(ModuleVariable, self._tables["module_variable"])

    @property
    def module_unit(self) -> Mapping[str, str]:
        """The keys of `serviceConfig` that the module sets, as systemd reads them."""
        unit: Mapping[str, str] = self._tables["module_unit"]
        return unit

    @property
    def module_guesses(self) -> Mapping[str, str]:
        """The option of the module that is meant by names which it does not have."""
        guesses: Mapping[str, str] = self._tables["module_guess"]
        return guesses

    def module_option_meant(self, name: str) -> str:
        """The option of the module that was meant by a name; empty: none comes close."""
        return self.module_guesses.get(name) or closest(name, self.module_options)

    @functools.cached_property
    def expiring(self) -> Mapping[tuple[str, str], Expiring]:
        """The directives that systemd gives up, by section and name."""
        found = self._catalogue.all("expiring", Expiring)
        return {(one.section, one.name): one for one in found}

    @functools.cached_property
    def docker_drivers(self) -> Mapping[str, frozenset[str]]:
        """What can be asked of each of Docker's drivers for devices, by their names."""
        found = self._catalogue.all("docker_driver", DockerDriver)
        return {one.name: frozenset(one.capabilities) for one in found}

    @functools.cached_property
    def taken(self) -> Mapping[str, Taken]:
        """What a directive of [Service] takes, by its name; of others nothing is told."""
        found = self._catalogue.all("taken", Taken)
        return {name: one for one in found for name in one.names}

    def accepted(self, name: str) -> Accepted:
        """The keys that the reader of such files knows; of another name there are none."""
        if name not in self._accepted:
            parts = ("accepts", "mistaken", "words", "needs", "ignored")
            self._accepted[name] = Accepted(*(self._tables[part].get(name, {}) for part in parts))
        return self._accepted[name]

    # Models

    @functools.cached_property
    def models(self) -> tuple[ModelFact, ...]:
        """All models, each as its first tag is."""
        return tuple(self._as_said(model, model.names[0]) for model in self._catalogue.models)

    @functools.cached_property
    def architectures(self) -> Mapping[str, Architecture]:
        """What is known of the architectures of models."""
        return Table(Architecture, self._tables["architecture"], at=self.at)

    def keeps(self, architecture: str) -> Keeps | None:
        """What models of that architecture keep of the tokens seen; None: it is not known."""
        return Table(Keeps, self._tables["keeps"], "names").get(architecture)

    def computes(self, architecture: str) -> frozenset[How]:
        """How the graph of an architecture differs from that of a plain transformer."""
        return self._computes.get(architecture, frozenset())

    @functools.cached_property
    def _computes(self) -> Mapping[str, frozenset[How]]:
        rows = self._tables["computes"]
        names = {name for row in rows for name in row["names"]}
        return {n: frozenset(row["how"] for row in rows if n in row["names"]) for n in names}

    def context_by_memory(self, memory: int) -> int | None:
        """The context taken by itself for so much GPU memory; None: memory does not matter."""
        return next((t.tokens for t in self.context_tiers if memory >= t.memory), None)

    @property
    def context_tiers(self) -> tuple[ContextTier, ...]:
        """The steps by which the release takes its context, the highest first; empty: none."""
        tiers = self._catalogue.all("context_tier", ContextTier)
        return tuple(tier for tier in tiers if tier.covers(self.at))

    @property
    def quantisations(self) -> tuple[Quantisation, ...]:
        """The ways to store weights."""
        return self._catalogue.all("quantisation", Quantisation)

    def row_bytes(self, kind: str, width: int) -> int:
        """The bytes of one row of `width` weights of a type. Raises KeyError."""
        blocks = self._tables["blocks"]
        size, weights = blocks[kind]
        if width % weights:
            size, weights = blocks[self._tables["fallback"].get(kind, "F16")]
        return int(-(-width // weights) * size)

    def model(self, name: str) -> ModelFact | None:
        """The model of that tag, also with a quantisation at its end; None: no shape is known."""
        found = self.named_model(name)
        return found if found is not None and found.layers else None

    def named_model(self, name: str) -> ModelFact | None:
        """The model of that tag, though its size alone may be known; None: there is none.

        It is the same record each time, by which others remember what follows from it.
        """
        tag = plain(name)
        if tag not in self._models:
            self._models[tag] = self._named_model(tag)
        return self._models[tag]

    def _named_model(self, tag: str) -> ModelFact | None:
        if found := self._by_tag.get(tag):
            return self._as_said(found, tag)
        family, _, rest = tag.partition(":")
        stem, _, last = rest.rpartition("-")
        # A model of one size may have a quantisation for a tag: `glm-4.7-flash:q8_0`.
        key, kind = f"{family}:{stem or 'latest'}", quantisation(last)
        found = self._by_tag.get(key) if kind else None
        if found is None or (not stem and found.names[0] != key):
            return None
        return self._as_said(replace(found, quantisation=kind), tag, key)

    def _as_said(self, model: ModelFact, *tags: str) -> ModelFact:
        """Return a model with the context that a tag of the same file says, where one does.

        The file of `granite-code:3b` is `3b-instruct-128k-q4_0`, while `3b-base` has 2048 tokens.
        """
        if not model.layers or not any(map(context_said, model.names)):
            return model
        names = chain(tags[:1], *(self.file_tags(tag) for tag in tags))
        said = next(filter(None, map(context_said, names)), 0)
        if not said or abs(said - model.context) <= NEAR_SAID * said:
            return model
        return replace(model, context=said)

    def file_tags(self, name: str) -> tuple[str, ...]:
        """The tags of the file that a tag of the library is of; of another one itself alone."""
        tag = plain(name)
        family, _, rest = tag.partition(":")
        entry = self._catalogue.library.get(family)
        for file in entry.files if entry else ():
            tags = [each.casefold() for each in file.split()[1:]]
            if rest in tags:
                return tuple(f"{family}:{each}" for each in tags)
        return (tag,)

    @functools.cached_property
    def _by_tag(self) -> Mapping[str, ModelFact]:
        return Table(ModelFact, whole(self._tables["model"]), "names")

    def tags(self, model: ModelFact) -> Mapping[str, Tag]:
        """The files of a model that can be pulled, by quantisation: the first tag of each."""
        found: dict[str, Tag] = {}
        for tag in self.files(model):
            found.setdefault(tag.quantisation, tag)
        return found

    def good_for(self, model: ModelFact) -> tuple[str, ...]:
        """What the library says that a model can do, like `tools`."""
        entry = self._catalogue.library.get(model.names[0].partition(":")[0])
        return entry.good_for if entry else ()

    def pulls(self, model: ModelFact) -> int:
        """How often models of that name were pulled from the library; 0: it is not in there."""
        entry = self._catalogue.library.get(model.names[0].partition(":")[0])
        return entry.pulls if entry else 0

    def files(self, model: ModelFact) -> Iterator[Tag]:
        """Yield all tags of a model that say a quantisation, and the size the library shows."""
        family = model.names[0].partition(":")[0]
        entry = self._catalogue.library.get(family)
        for file in entry.files if entry else ():
            size, *tags = file.split()
            for tag in tags:
                stem, _, last = tag.rpartition("-")
                kind = quantisation(last)
                if kind and f"{family}:{stem or 'latest'}" in model.names:
                    yield Tag(f"{family}:{tag}", kind, size)

    def loads(self, architecture: str) -> bool:
        """Whether the release loads models of that architecture, as far as is known."""
        entry = self.architectures.get(architecture)
        return entry is None or entry.loads

    def closest_model(self, name: str) -> str | None:
        """The model that was meant; None: no name comes close."""
        # `:latest` would make all names without a tag alike.
        names = [known.removesuffix(":latest") for known in self._by_tag]
        return closest(plain(name).removesuffix(":latest"), names) or None

    def mistyped_model(self, name: str) -> str:
        """The name of the library that is nearest to one that it does not have; empty: it may be.

        Names of others, and those that come close to none, are nobody's mistake.
        """
        tag = plain(name)
        family, _, rest = tag.partition(":")
        # Which file such a tag would be of is known, but there is none of that name.
        known = self.named_model(name) and not _QUANTISED.fullmatch(rest)
        if "/" in tag or known or self.missing_model(name):
            return ""
        entry = self._catalogue.library.get(family)
        if entry is None:
            library = self._catalogue.library
            found = _newest_of_its_series(family, library) or closest(family, library, NEAR)
            family = found or _without_variant(family, library)
            entry = self._catalogue.library.get(family)
        if entry is None or _UNLISTED.search(rest):
            return ""
        tags = {tag.casefold(): tag for file in entry.files for tag in file.split()[1:]}
        if rest in tags:
            return f"{family}:{rest}" if f"{family}:{rest}" != tag else ""
        close = _same_quantised(rest, tags) or closest(rest, tags) or _nearest_size(rest, tags)
        if close:
            return f"{family}:{tags[close]}"
        sized = bool(tags) and _SIZE.fullmatch(rest) is not None  # It has no tags of sizes.
        return family if sized or family != tag.partition(":")[0] else ""

    def missing_model(self, name: str) -> str | None:
        """Why there is no model of that name, and what to use; None: nothing is known."""
        tag = plain(name)
        for entry in self._catalogue.all("missing", MissingModel):
            listed = ":" not in entry.name and tag.partition(":")[0] in self._catalogue.library
            longer = tag.startswith(f"{entry.name}-") and not listed
            if tag == entry.name or longer or tag.startswith(f"{entry.name}:"):
                return f"{entry.why}; use `{entry.use}`"
        return None

    def context_floor(self, name: str, memory: int) -> int:
        """The least context that a model of that name gets on so much GPU memory; 0: none."""
        family = plain(name).partition(":")[0]
        entries = (
            e for e in self._catalogue.all("context_floor", ContextFloor) if e.covers(self.at)
        )
        found = (e.tokens for e in entries if family in e.names and memory >= e.memory)
        return max(found, default=0)

    def one_slot(self, name: str) -> OneSlot | None:
        """Why the scheduler gives that model one slot; None: nothing is known."""
        family, _, tag = plain(name).partition(":")
        if tag.endswith("cloud"):  # It runs elsewhere.
            return None
        entries = (e for e in self._catalogue.all("one_slot", OneSlot) if family in e.names)
        return next((entry for entry in entries if entry.covers(self.at)), None)


def _newest_of_its_series(family: str, names: Iterable[str]) -> str:
    """Return the newest of the names that differ by their number; empty: it is of no series."""
    wanted = _NUMBERED.fullmatch(family)
    told = [found for name in names if (found := _NUMBERED.fullmatch(name))]
    series = [found for found in told if wanted and found[1] == wanted[1]]
    return max(series, key=lambda found: float(found[2]))[0] if len(series) > 1 else ""


_VARIANT: Final = re.compile(
    r"([a-z][a-z0-9.-]*?)-(?:instruct|chat|base|small|medium|large|\d+(?:x\d+)?(?:\.\d+)?b)(?:-.*)?"
)
"""A name with what would be a tag behind a colon."""


def _without_variant(family: str, names: Container[str]) -> str:
    """Return the name that one has behind it what belongs into a tag; empty: it is none."""
    found = _VARIANT.fullmatch(family)
    return found[1] if found and found[1] in names else ""


def _nearest_size(tag: str, tags: Iterable[str]) -> str:
    """Return the tag whose size is nearest to one like `9b`; empty: it is no size."""
    sizes = {known: float(found[1]) for known in tags if (found := _SIZE.fullmatch(known))}
    wanted = _SIZE.fullmatch(tag)
    if wanted is None or not sizes:
        return ""
    return min(sizes, key=lambda known: abs(sizes[known] - float(wanted[1])))


def _same_quantised(tag: str, tags: Iterable[str]) -> str:
    """Return the tag of the same size and quantisation, of a model for talks first; or empty."""
    wanted = _QUANTISED.fullmatch(tag)
    if wanted is None:
        return ""
    same = [one for one in tags if one.startswith(f"{wanted[1]}-") and one.endswith(wanted[2])]
    return min(same, key=lambda one: (not re.search("instruct|chat", one), one), default="")
