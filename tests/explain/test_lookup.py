"""What `gen explain` says of each kind of name, and which names it finds."""

import re
import typing

import pytest
from click.testing import CliRunner, Result

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import Variable
from generator.cli import gen
from generator.errors import CatalogueError, HostwrightError
from generator.explain.keys import becomes, keys
from generator.explain.lookup import explain, find, listed
from generator.explain.page import Page
from generator.explain.variables import KIND, ON_INVALID, SCOPE
from generator.profiles.json_schema import json_schema
from generator.profiles.shipped import profile_schema
from generator.targets import TARGETS


def run(*args: str) -> Result:
    return CliRunner().invoke(gen, ["explain", *args], prog_name="gen", standalone_mode=False)


def text(*args: str) -> str:
    """Return what a name is explained as, with paragraphs on one line."""
    result = run(*args)
    assert result.exception is None, result.exception
    return re.sub(r"\n +", " ", result.output)


def page(name: str, version: str | None = None) -> Page:
    (only,) = explain([name], version)
    return only


class TestRules:
    def test_a_rule_has_why_samples_and_how_to_silence_it(self) -> None:
        told = run("hw202").output
        assert told.startswith("HW202 · warning: more compute threads than the CPU quota lets run")
        assert "Bad\n  CPUQuota=400%\n  Environment=LLAMA_ARG_THREADS=8\n" in told
        assert "Good\n  CPUQuota=500%\n  Environment=LLAMA_ARG_THREADS=4\n" in told
        assert '  [check]\n  ignore = [{ rule = "HW202", reason = "…" }]\n' in told
        assert "  # hostwright: ignore HW202 because …\n" in told
        assert told.endswith("Sources\n  ollama#17916\n")

    @pytest.mark.parametrize(
        ("rule", "title"),
        [
            ("HW000", "error: a file that cannot be read"),
            ("HW001", "warning: a comment that ignores a rule, but not as written"),
            ("HW105", "info: a setting without effect on this host"),
            ("HW110", "warning: a release newer than the catalogue"),
            ("HW112", "info: flash attention is off"),
            ("HW305", "warning: a GPU of unknown compute capability or target"),
            ("HW503", "warning: a setting that only a model can carry, and no model"),
            ("HW506", "info: no official image for this host"),
            ("HW601", "warning: a setting that the target cannot express"),
            ("HW602", "warning: a module of a fleet that is not there"),
        ],
    )
    def test_rules_without_a_check_have_a_page(self, rule: str, title: str) -> None:
        assert text(rule).startswith(f"{rule} · {title}")

    def test_what_cannot_be_silenced_says_so(self) -> None:
        assert "Silence: Write the reason, or remove the comment." in text("HW001")
        assert "hostwright: ignore HW001" not in text("HW001")


class TestVariables:
    def test_a_living_one(self) -> None:
        told = text("OLLAMA_KEEP_ALIVE")
        assert told.startswith("OLLAMA_KEEP_ALIVE · read by the server\n")
        assert "Status: works in Ollama 0.32.15 (read since 0.1.29)." in told
        assert "Takes: Go duration like `90s`, `30m` or `24h`, or whole seconds" in told
        assert "Bad values: The server uses the default and says nothing." in told
        assert "Default: `5m0s`" in told
        assert "Profile: `ollama.keep_alive`" in told
        assert "HW109" in told
        assert (
            "Sources\n  envconfig/config.go@v0.32.15:126-144\n" in run("OLLAMA_KEEP_ALIVE").output
        )

    def test_defaults_by_release(self) -> None:
        lines = run("OLLAMA_NUM_PARALLEL").output.splitlines()
        head = lines.index("from    before  default  which means")
        assert lines[head + 1 : head + 5] == [
            "0.1.33  0.2.0   1",
            "0.2.0   0.6.7   0        tries 4, then 1",
            "0.6.7   0.10.0  0        tries 2, then 1",
            "0.10.0          1",
        ]

    def test_one_release_alone(self) -> None:
        told = text("OLLAMA_NUM_PARALLEL", "--ollama-version", "0.9")
        assert "Status: works in Ollama 0.9.6" in told
        assert "Default: `0`: tries 2, then 1" in told
        assert "before" not in told

    @pytest.mark.parametrize(
        ("name", "version", "status"),
        [
            ("LLAMA_ARG_THREADS", "0.24", "not read by Ollama 0.24.0: it is read since 0.30.0."),
            (
                "OLLAMA_INTEL_GPU",
                "0.32",
                "not read by Ollama 0.32.15: it was removed in 0.12.11 (read since 0.1.45).",
            ),
            (
                "OLLAMA_MAX_VRAM",
                "0.6",
                "without effect in Ollama 0.6.8: it has had none since 0.1.45 (read since 0.1.29).",
            ),
            (
                "OLLAMA_GPU_OVERHEAD",
                "0.24",
                "works in Ollama 0.24.0 (read since 0.3.10, without effect from 0.30.0).",
            ),
            ("OMP_NUM_THREADS", "0.32", "without effect in Ollama 0.32.15, as in every release."),
            (
                "HOME",
                "0.99",
                "works in Ollama 0.99.0 (read since 0.0.1); judged by 0.32.15, the newest known.",
            ),
        ],
    )
    def test_its_status_in_a_release(self, name: str, version: str, status: str) -> None:
        assert page(name, version).facts["status"] == status

    def test_what_to_use_instead_in_a_release(self) -> None:
        told = text("OLLAMA_GPU_OVERHEAD", "--ollama-version", "0.32")
        assert "Use instead: LLAMA_ARG_FIT_TARGET=<MiB per device>" in told
        assert "instead" not in text("OLLAMA_GPU_OVERHEAD", "--ollama-version", "0.24")

    def test_what_older_releases_take_says_so(self) -> None:
        told = text("LLAMA_ARG_THREADS")
        assert "Before 0.30.0 use: PARAMETER num_thread N in a Modelfile" in told

    def test_allowed_values_by_release_and_platform(self) -> None:
        told = text("OLLAMA_LLM_LIBRARY", "--ollama-version", "0.20.3")
        assert "x86_64-linux   cuda_v12, cuda_v13, rocm, vulkan; others: CPU only" in told
        assert "rocm_v7_2" not in told

    def test_danger_is_told(self) -> None:
        told = text("LLAMA_ARG_API_PREFIX")
        assert "Danger: The server stops answering, or answers wrong: do not set it." in told
        assert "Profile" not in told

    def test_each_reader_has_booleans_of_its_own(self) -> None:
        assert "Boolean: `1`, `t`, `true`, `0`, `f`, `false`" in text("OLLAMA_NOPRUNE")
        assert "Boolean: `1`, `on`, `true`, `enabled`" in text("LLAMA_ARG_MLOCK")
        assert "switch: set, or not set" in text("GGML_CUDA_NO_PINNED")

    def test_what_llama_server_reads_beside_them(self) -> None:
        assert "llama-server reads it for every model." in text("LLAMA_ARG_ALIAS")
        told = text("LLAMA_ARG_NO_PERF")
        assert told.startswith("LLAMA_ARG_NO_PERF · ")
        assert "The negative form of `LLAMA_ARG_PERF`: any value counts, `0` too." in told

    def test_a_name_that_no_release_reads(self) -> None:
        told = run("OLLAMA_NUM_THREADS").output
        assert told.startswith("OLLAMA_NUM_THREADS · read by no release of Ollama\n")
        assert "Believed to be: CPU thread count" in told
        assert "0.0.3   0.30.0  PARAMETER num_thread N in a Modelfile\n" in told
        assert "0.30.0          LLAMA_ARG_THREADS=N\n" in told
        assert "Profile: `threads.count`" in told
        assert "`OLLAMA_CPU_THREADS`" in told
        assert "HW101" in told

    def test_every_word_of_the_data_has_its_plain_english(self) -> None:
        hints = typing.get_type_hints(Variable)
        kinds, scopes, bad = (
            set(typing.get_args(hints[name])) for name in ("kind", "scope", "on_invalid")
        )
        assert kinds == {*KIND}
        assert scopes == {*SCOPE}
        assert bad == {*ON_INVALID, "load-fail"}


class TestKeys:
    def test_a_key_that_becomes_a_variable(self) -> None:
        told = run("keep_alive").output
        assert told.startswith(run("ollama.keep_alive").output)
        assert "Takes: string or integer, like `30m`, `24h`, `-1`" in told
        assert "Left out: `5m0s` in Ollama 0.32.15" in told
        assert "nixos    `services.ollama.environmentVariables.OLLAMA_KEEP_ALIVE`" in told
        assert "systemd  `Environment=OLLAMA_KEEP_ALIVE`" in told
        assert "compose  `environment.OLLAMA_KEEP_ALIVE`" in told

    def test_a_key_that_becomes_a_limit(self) -> None:
        told = run("resources.memory_max").output
        assert "nixos    `systemd.services.ollama.serviceConfig.MemoryMax`" in told
        assert "systemd  `MemoryMax=`" in told
        assert "compose  `mem_limit`" in told

    def test_a_key_that_a_target_has_no_word_for(self) -> None:
        assert "compose  nothing" in run("resources.memory_high").output
        assert "compose  nothing" in run("resources.io_weight").output

    def test_levers_by_release(self) -> None:
        assert "0.30.0          LLAMA_ARG_THREADS=N" in run("threads.count").output
        told = text("threads.count", "--ollama-version", "0.9")
        assert "In Ollama 0.9.6: PARAMETER num_thread N in a Modelfile" in told

    def test_a_table_lists_its_keys(self) -> None:
        told = text("host.cpu")
        assert told.startswith("host.cpu · table of a profile")
        assert "Keys: `model`, `sockets`, `cores`, `threads`, `features`" in told

    def test_without_the_shipped_schema_the_installation_is_broken(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("generator.profiles.shipped._SCHEMA", "profiles/none.json")
        with pytest.raises(CatalogueError, match=r"^profiles/none\.json: ") as caught:
            profile_schema.__wrapped__()
        assert caught.value.hint == "install Hostwright again"

    def test_every_key_that_decides_something_says_what_it_becomes(self) -> None:
        tables = ("ollama.", "resources.", "threads.", "gpu.", "models.", "warmup.", "service.")
        silent = {"models.role", "models.digest", "resources.cpus"}
        silent |= {"models.hf", "models.hf_bits"}  # For the engine that loads them.
        silent |= {"service.credentials.path", "service.credentials.encrypted"}  # Their table does.
        silent |= {f"ollama.build.{name}" for name in ("blas", "openmp", "march")}
        decides = [key for key in keys() if key.startswith((*tables, "container."))]
        assert len(decides) > 45
        without = {key for key in decides if set(becomes(key)) < set(TARGETS) - {"plan"}}
        assert without - {"ollama.version"} == silent

    def test_no_table_speaks_of_a_key_that_is_none(self) -> None:
        named = {*load_catalogue().keys, *(limit.key for limit in load_catalogue().limits.values())}
        assert named - {*keys(), ""} == set()


class TestLimits:
    def test_by_the_name_of_systemd_and_of_compose(self) -> None:
        told = run("CPUQuota").output
        assert told == run("CPUQuota=").output == run("cpuquota").output
        assert told.startswith("CPUQuota · directive of a systemd [Service], `cpus` in Compose\n")
        assert "Profile: `resources.cpu_quota`" in told
        assert "HW202 more compute threads than the CPU quota lets run" in " ".join(told.split())
        assert run("mem_limit").output == run("MemoryMax").output

    def test_one_that_compose_does_not_have(self) -> None:
        assert "Compose: has no such key" in text("NUMAPolicy")
        assert "Profile: no key" in text("OOMPolicy")

    def test_a_word_with_two_meanings_gets_both_pages(self) -> None:
        assert find("cpus") == (("limit", "CPUQuota"), ("key", "resources.cpus"))
        told = run("cpus").output
        assert told.startswith("CPUQuota · directive")
        assert "\n\nresources.cpus · key of a profile\n" in told

    def test_no_two_limits_do_the_same(self) -> None:
        limits = load_catalogue().limits
        assert len(limits) == len({limit.effect for limit in limits.values()})


class TestOptions:
    def test_an_option(self) -> None:
        told = text("num_thread")
        assert told.startswith("num_thread · model option, `PARAMETER` of a Modelfile\n")
        assert "Default: `0`: automatic" in told
        assert "Careful: Requests that differ in it load the model again." in told
        assert told == text("PARAMETER num_thread")

    def test_a_removed_one(self) -> None:
        told = text("mirostat")
        assert "not read by Ollama 0.32.15: it was removed in 0.7.0 (read since 0.0.3)." in told


class TestNames:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("OLLAMA_KEEP_ALIV", "`OLLAMA_KEEP_ALIVE`"),
            ("HW2O2", "`HW202`"),
            ("memory_mx", "`memory_max`"),
            ("CPUQota", "`CPUQuota`"),
            ("num_treads", "`num_thread`"),
        ],
    )
    def test_a_typo_gets_what_was_meant(self, typed: str, meant: str) -> None:
        with pytest.raises(HostwrightError) as caught:
            explain([typed])
        assert caught.value.exit_code == 2
        assert meant in caught.value.hint

    @pytest.mark.parametrize("name", ["LLAMA_ARG_NO_THREADS", "LLAMA_ARG_NO_MLOCK"])
    def test_what_is_no_switch_has_no_negative_form(self, name: str) -> None:
        assert find(name) == ()

    def test_all_unknown_names_are_told_at_once(self) -> None:
        with pytest.raises(HostwrightError) as caught:
            explain(["qqqq", "HW202", "xyzzy"])
        assert caught.value.message == "there is nothing to explain by the name `qqqq`, `xyzzy`"
        assert caught.value.hint == "`gen explain --list` has every name"

    def test_living_names_are_suggested_first(self) -> None:
        with pytest.raises(HostwrightError, match="nothing to explain") as caught:
            explain(["OLLAMA_KEEPALIV"])
        hint = caught.value.hint
        assert hint.index("`OLLAMA_KEEP_ALIVE`") < hint.index("`OLLAMA_KEEPALIVE`")

    def test_several_names_come_in_their_order_and_once(self) -> None:
        pages = explain(["num_ctx", "HW202", "num_ctx"])
        assert [p.name for p in pages] == ["num_ctx", "HW202"]

    def test_a_setting_pasted_from_a_file(self) -> None:
        assert page("OLLAMA_NUM_PARALLEL=4").name == "OLLAMA_NUM_PARALLEL"
        assert page("ollama.env.OLLAMA_DEBUG_LOG_REQUESTS").name == "OLLAMA_DEBUG_LOG_REQUESTS"

    def test_case_matters_where_both_are_there(self) -> None:
        assert page("http_proxy").name == "http_proxy"
        assert page("HTTP_PROXY").name == "HTTP_PROXY"
        assert page("ollama_host").name == "OLLAMA_HOST"

    @pytest.mark.parametrize("version", ["0.9.7", "0.25", "lots", "0.0.1", ""])
    def test_what_is_no_release_is_refused(self, version: str) -> None:
        with pytest.raises(HostwrightError, match=r"release|supported"):
            explain(["HW202"], version)

    def test_every_listed_name_has_a_page(self) -> None:
        pages = explain([entry.name for entry in listed()])
        told = {(page.kind, page.name) for page in pages}
        assert {(entry.kind, entry.name) for entry in listed()} - told == set()
        assert all(page.summary and page.blocks for page in pages)


def test_the_keys_are_those_of_the_profile() -> None:
    schema = json_schema()
    resources = {f"resources.{name}" for name in schema["$defs"]["Resources"]["properties"]}
    assert resources <= {*keys()}
    assert {*schema["properties"]} <= {*keys()}
