"""HW108, HW109, HW111, HW119, HW120, HW123: what a value says, and what is read."""

from typing import Any

import pytest

from generator.engines.ollama.rules.values import go_duration
from generator.rules.registry import every_rule
from generator.view import Edit, LocatedFinding, Place, Variable, View
from tests.plans import plan
from tests.views import FILE, found, view

RULE = every_rule()
LINE = Place(FILE, 1)

# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW108": (view({"OLLAMA_FLASH_ATTENTION": "off"}), view({"OLLAMA_FLASH_ATTENTION": "0"})),
    "HW539": (view({"OLLAMA_KEEP_ALIVE": "30"}), view({"OLLAMA_KEEP_ALIVE": "3600"})),
    "HW127": (
        view({"OLLAMA_LOAD_TIMEOUT": "20s"}),
        view({"OLLAMA_LOAD_TIMEOUT": "0", "OLLAMA_KEEP_ALIVE": "20s"}),
    ),
    "HW109": (view({"OLLAMA_KEEP_ALIVE": "1d"}), view({"OLLAMA_KEEP_ALIVE": "24h"})),
    "HW111": (
        view({"OLLAMA_GPU_OVERHEAD": "2G"}, release="0.24.0"),
        view({"OLLAMA_GPU_OVERHEAD": "2147483648"}, release="0.24.0"),
    ),
    "HW119": (view({"CUDA_VISIBLE_DEVICES": "'0'"}), view({"CUDA_VISIBLE_DEVICES": "0"})),
    "HW120": (
        view({"OLLAMA_MODELS": "$HOME/models"}),
        view({"OLLAMA_MODELS": "/srv/$models~/x"}, kind="compose"),
    ),
    "HW123": (
        view({"HSA_OVERRIDE_GFX_VERSION": "gfx1030"}),
        view({"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULE[rule], caught)
    assert not found(RULE[rule], left)


def only(rule: str, name: str, value: str, release: str = "0.32.15", **more: Any) -> LocatedFinding:
    placed = found(RULE[rule], view({name: value}, release=release, **more))
    assert len(placed) == 1
    return placed[0]


def silent(rule: str, name: str, value: str, release: str = "0.32.15") -> bool:
    return not found(RULE[rule], view({name: value}, release=release))


class TestBooleans:
    @pytest.mark.parametrize(
        ("word", "severity", "meant"),
        [
            ("off", "warning", "0"),
            ("No", "warning", "0"),
            ("disabled", "warning", "0"),
            ("fALSE", "warning", "0"),
            ("yes", "info", "1"),
            ("on", "info", "1"),
        ],
    )
    def test_other_words_count_as_true(self, word: str, severity: str, meant: str) -> None:
        placed = only("HW108", "OLLAMA_SCHED_SPREAD", word)
        assert placed.finding.severity == severity
        assert placed.finding.fix == f"write `{meant}`"
        assert placed.edits == (
            Edit(LINE, f"OLLAMA_SCHED_SPREAD={word}", f"OLLAMA_SCHED_SPREAD={meant}"),
        )

    def test_what_nobody_can_guess_is_left_to_people(self) -> None:
        placed = only("HW108", "OLLAMA_FLASH_ATTENTION", "auto")
        assert placed.finding.message == (
            "`auto` counts as true for OLLAMA_FLASH_ATTENTION: it is none of Go's Booleans"
        )
        assert placed.edits == ()

    @pytest.mark.parametrize(
        "word", ["1", "t", "TRUE", "True", "0", "f", "False", "", " 1 ", "'0'"]
    )
    def test_what_go_reads_is_fine(self, word: str) -> None:
        assert silent("HW108", "OLLAMA_NOPRUNE", word)

    def test_the_rule_is_of_0_3_2(self) -> None:
        assert silent("HW108", "OLLAMA_FLASH_ATTENTION", "off", "0.3.1")
        assert not silent("HW108", "OLLAMA_FLASH_ATTENTION", "off", "0.3.2")

    @pytest.mark.parametrize(
        ("word", "release", "meant"),
        [
            ("yes", "0.7.0", "1"),
            ("debug", "0.32.15", "1"),
            ("off", "0.6.8", "0"),
            # As meant, by accident.
            ("yes", "0.6.8", ""),
            ("off", "0.7.0", ""),
            ("2", "0.7.0", ""),
            ("true", "0.7.0", ""),
        ],
    )
    def test_debug_is_a_level_since_0_7(self, word: str, release: str, meant: str) -> None:
        told = found(RULE["HW108"], view({"OLLAMA_DEBUG": word}, release=release))
        assert [placed.finding.fix for placed in told] == ([f"write `{meant}`"] if meant else [])

    @pytest.mark.parametrize(("release", "told"), [("0.6.8", False), ("0.7.0", True)])
    def test_below_info_the_log_lacks_the_configuration(self, release: str, told: bool) -> None:
        seen = found(RULE["HW108"], view({"OLLAMA_DEBUG": "-1"}, release=release))
        assert ["`server config`" in placed.finding.message for placed in seen] == [True] * told

    def test_some_count_as_soon_as_they_are_set(self) -> None:
        placed = only("HW108", "GGML_CUDA_ENABLE_UNIFIED_MEMORY", "0")
        assert placed.finding.message == (
            "GGML_CUDA_ENABLE_UNIFIED_MEMORY counts as soon as it is set, `0` too"
        )
        assert placed.edits == (Edit(LINE, "GGML_CUDA_ENABLE_UNIFIED_MEMORY", ""),)
        assert silent("HW108", "GGML_CUDA_ENABLE_UNIFIED_MEMORY", "1")

    def test_the_last_of_a_name_wins(self) -> None:
        lines = tuple(
            Variable(name="OLLAMA_NOPRUNE", value=value, place=Place(FILE, line), written=value)
            for line, value in enumerate(("off", "0"), 1)
        )
        assert not found(RULE["HW108"], view(variables=lines))


class TestDurations:
    @pytest.mark.parametrize(
        ("word", "meant"),
        [
            ("1d", "24h"),
            ("0.5d", "12h"),
            ("1d12h", "36h"),
            ("2w", "336h"),
            ("24H", "24h"),
            ("24 hours", "24h"),
            ("30min", "30m"),
            ("1.5 h", "90m"),
            ("90sec", "90s"),
            ("forever", "-1"),
            ("infinite", "-1"),
            ("soon", ""),
            ("5x", ""),
            ("1d,", ""),
            ("", ""),
        ],
    )
    def test_what_people_write_has_a_go_duration(self, word: str, meant: str) -> None:
        assert go_duration(word) == meant

    def test_an_unknown_duration_is_five_minutes(self) -> None:
        placed = only("HW109", "OLLAMA_KEEP_ALIVE", "1d")
        assert placed.finding.message == "`1d` is not a Go duration; Ollama silently uses 5m"
        assert placed.edits == (Edit(LINE, "OLLAMA_KEEP_ALIVE=1d", "OLLAMA_KEEP_ALIVE=24h"),)
        assert only("HW109", "OLLAMA_LOAD_TIMEOUT", "soon").edits == ()

    @pytest.mark.parametrize("word", ["30m", "-1", "0", "300", "1h30m", "-5m", " 5m ", "'24h'", ""])
    def test_what_go_reads_is_fine(self, word: str) -> None:
        assert silent("HW109", "OLLAMA_KEEP_ALIVE", word)


class TestNumbers:
    @pytest.mark.parametrize(
        ("name", "word", "meant"),
        [
            ("OLLAMA_GPU_OVERHEAD", "2G", "2147483648"),
            ("OLLAMA_GPU_OVERHEAD", "512MiB", "536870912"),
            ("OLLAMA_GPU_OVERHEAD", "1gib", "1073741824"),
            ("OLLAMA_CONTEXT_LENGTH", "8_192", "8192"),
            ("OLLAMA_CONTEXT_LENGTH", "131,072", "131072"),
            ("OLLAMA_NUM_PARALLEL", "4.0", "4"),
        ],
    )
    def test_a_suffix_or_separator_is_written_out(self, name: str, word: str, meant: str) -> None:
        placed = only("HW111", name, word, "0.24.0")
        assert placed.finding.fix == f"write `{meant}`"
        assert placed.edits == (Edit(LINE, f"{name}={word}", f"{name}={meant}"),)

    @pytest.mark.parametrize(
        ("name", "word", "fix"),
        [
            # 512 × 10⁶ to one reader, 512 × 2²⁰ to another.
            ("OLLAMA_GPU_OVERHEAD", "512MB", "write bytes, like `2147483648`"),
            ("OLLAMA_CONTEXT_LENGTH", "128k", "write `131072`"),
            ("OLLAMA_NUM_PARALLEL", "auto", "leave it out"),
            ("OLLAMA_NUM_PARALLEL", "-1", "write digits alone"),
            ("OLLAMA_CONTEXT_LENGTH", "128000 ollama serve", "write digits alone"),
            ("OLLAMA_MAX_QUEUE", "99999999999999999999", "write digits alone"),
        ],
    )
    def test_what_is_not_certain_gets_words_alone(self, name: str, word: str, fix: str) -> None:
        placed = only("HW111", name, word, "0.24.0")
        assert placed.finding.fix == fix
        assert placed.edits == ()

    def test_the_default_that_is_used_is_told(self) -> None:
        placed = only("HW111", "OLLAMA_NUM_PARALLEL", "four", "0.10.0")
        assert placed.finding.message == (
            "`four` is not a whole number; Ollama warns and uses the default, 1"
        )

    def test_a_handful_of_bytes_is_no_memory(self) -> None:
        placed = only("HW111", "OLLAMA_GPU_OVERHEAD", "2048", "0.24.0")
        assert placed.finding.message == (
            "OLLAMA_GPU_OVERHEAD counts bytes: 2048 of them are next to nothing"
        )
        # From 0.30 on it has no effect at all, which another rule says.
        assert silent("HW111", "OLLAMA_GPU_OVERHEAD", "2048", "0.30.0")

    @pytest.mark.parametrize("word", ["0", "4", " 4 ", '"4"', ""])
    def test_digits_are_fine(self, word: str) -> None:
        assert silent("HW111", "OLLAMA_NUM_PARALLEL", word)


class TestQuotes:
    def test_ollama_strips_its_own(self) -> None:
        placed = only("HW119", "OLLAMA_KEEP_ALIVE", "'24h'")
        assert placed.finding.severity == "info"
        assert placed.edits == (Edit(LINE, "OLLAMA_KEEP_ALIVE='24h'", "OLLAMA_KEEP_ALIVE=24h"),)

    def test_the_driver_does_not(self) -> None:
        placed = only("HW119", "CUDA_VISIBLE_DEVICES", '"0"')
        assert placed.finding.severity == "error"
        assert placed.finding.fix == "write `0` without them"

    def test_quotes_of_other_programs_are_theirs(self) -> None:
        assert silent("HW119", "SOME_JSON", '"text"')
        assert silent("HW119", "OLLAMA_MODELS", "/srv/it's")

    def test_what_is_to_go_is_not_spelt_anew(self) -> None:
        assert silent("HW119", "OLLAMA_MODELS", '"https://example.com/models"')

    def test_an_edit_keeps_the_quotes_of_the_file(self) -> None:
        variable = Variable(
            name="OLLAMA_NOPRUNE", value="off", place=Place("c.yaml", 4), written='"off"'
        )
        seen = view(kind="compose", variables=(variable,))
        assert found(RULE["HW108"], seen)[0].edits == (Edit(Place("c.yaml", 4), '"off"', '"0"'),)


class TestExpansions:
    @pytest.mark.parametrize(
        ("value", "what"),
        [
            ("$HOME/models", "$HOME"),
            ("${HOME}/models", "${HOME}"),
            ("~/models", "~"),
            ("~", "~"),
        ],
    )
    def test_nothing_expands_them(self, value: str, what: str) -> None:
        assert only("HW120", "OLLAMA_MODELS", value).finding.message == (
            f"nothing expands `{what}` in OLLAMA_MODELS; it is taken literally"
        )

    def test_an_element_of_a_path_counts(self) -> None:
        assert not silent("HW120", "LD_LIBRARY_PATH", "/opt/lib:$LD_LIBRARY_PATH")
        assert silent("HW120", "OLLAMA_MODELS", "/srv/a~b/$1")
        assert "is lost" in only("HW120", "PATH", "/opt/cuda/bin:$PATH").finding.message
        assert silent("HW120", "GREETING", "hello $USER")

    def test_a_profile_is_taken_literally_too(self) -> None:
        decided = plan({"ollama": {"env": {"TMPDIR": "$HOME/tmp"}}})
        assert [(f.rule, f.where) for f in decided.findings] == [("HW120", "ollama.env.TMPDIR")]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("gfx1030", "10.3.0"),
        ("gfx90a", "9.0.10"),
        ("gfx1100", "11.0.0"),
        ("1030", "10.3.0"),
        ("10.3", "10.3.0"),
        ("rdna2", ""),
    ],
)
def test_a_target_has_a_version(word: str, meant: str) -> None:
    placed = only("HW123", "HSA_OVERRIDE_GFX_VERSION_1", word)
    assert placed.finding.fix == (f"write `{meant}`" if meant else "write it like `10.3.0`")
    assert bool(placed.edits) == bool(meant)


def test_flash_attention_is_not_switched_off_under_a_quantised_cache() -> None:
    seen = view({"OLLAMA_FLASH_ATTENTION": "off", "OLLAMA_KV_CACHE_TYPE": "q8_0"})
    (placed,) = found(RULE["HW108"], seen)
    assert placed.edits == ()


@pytest.mark.parametrize(
    ("rule", "name"),
    [("HW108", "OLLAMA_NOPRUNE"), ("HW109", "OLLAMA_KEEP_ALIVE"), ("HW111", "OLLAMA_MAX_QUEUE")],
)
def test_a_value_that_the_host_fills_in_is_not_judged(rule: str, name: str) -> None:
    place = Place("ollama@.service", 3)
    variable = Variable(name=name, value="%i", place=place, written="%i", unresolved=True)
    assert found(RULE[rule], view(variables=(variable,))) == ()
