"""A build of one's own: every target that can make one says so to the program that will."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from generator.check.gather import CheckRequest, check
from generator.codec import to_dict
from generator.errors import ProfileError
from generator.targets import load_target
from tests.consumers import nix
from tests.consumers.targets import consumer, written
from tests.nix.test_modules import host
from tests.plans import plan

BLAS = {"blas": "openblas", "openmp": True, "march": "haswell"}
BUILDS: dict[str, dict[str, Any]] = {
    "openblas": {"blas": "openblas"},
    "mkl": {"blas": "mkl", "openmp": True},
    "haswell": {"march": "haswell"},
    "all": BLAS,
}
# What the sources have of the official build, cmake/local.cmake of v0.30.0 to v0.33.0-rc2.
OFFICIAL = "    -DGGML_NATIVE=OFF\n    -DGGML_OPENMP=OFF\n    -DGGML_CPU_ALL_VARIANTS=ON)\n"


def profile(build: dict[str, Any]) -> dict[str, Any]:
    cpu = {"cores": 8, "threads": 16}
    return {"host": {"memory": "64GiB", "cpu": cpu}, "ollama": {"build": build}}


def dockerfile(target: str, build: dict[str, Any]) -> str:
    files = load_target(target).render(plan(profile(build)))
    (text,) = (file.text for file in files if file.path.endswith("build/Dockerfile"))
    return text


@pytest.mark.parametrize("name", BUILDS)
def test_compose_builds_the_image_and_quadlet_does(name: str, tmp_path: Path) -> None:
    decided = plan(profile(BUILDS[name]))
    for target in ("compose", "quadlet"):
        folder = tmp_path / target
        folder.mkdir()
        written(target, decided, folder)
        ask = consumer(target)
        assert ask.complaints(folder, decided) == []
        found = ask.read(folder, decided)
        assert decided.service.build is not None
        named = decided.service.build.image
        if target == "compose":
            assert found.extra["service"]["image"] == named
            assert found.extra["service"]["build"]["context"] == str(folder / "build")
        else:
            assert found.extra["image"] == named
        found_of = check(CheckRequest(paths=(str(folder),))).findings
        assert [one.finding.message for one in found_of] == []


def test_the_stages_of_the_image() -> None:
    text = dockerfile("compose", BLAS)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == [
        "ubuntu:24.04",
        "ollama/ollama:0.32.15",
    ]
    for flag in ("OPENMP=ON", "BLAS=ON", "BLAS_VENDOR=Generic", "CPU_ALL_VARIANTS=OFF", "AVX2=ON"):
        assert f" -DGGML_{flag} " in text
    assert " -DGGML_AVX512=OFF " in text
    assert "libopenblas0-openmp libgomp1" in text
    assert "COPY --from=build /src/dist/lib/ollama /usr/lib/ollama" in text
    assert "libopenblas0-pthread" in dockerfile("quadlet", {"blas": "openblas"})
    assert "libmkl_rt.so" in dockerfile("quadlet", {"blas": "mkl"})


@pytest.mark.parametrize("name", BUILDS)
def test_nix_overrides_the_package_by_either_module(name: str, tmp_path: Path) -> None:
    decided = plan(profile(BUILDS[name]))
    written("nixos", decided, tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(to_dict(decided)))
    files = [
        tmp_path / f"{decided.name}.nix",
        host(tmp_path, "hostwright.profile = ./plan.json;"),
    ]
    both = [nix.read(file) for file in files]
    first, second = (found.extra["nix"]["package"]["arguments"]["attrs"] for found in both)
    assert patched(first["postPatch"]) == patched(second["postPatch"])
    rest = {key: value for key, value in first.items() if key != "postPatch"}
    assert rest == {key: value for key, value in second.items() if key != "postPatch"}
    linked = ["blas"] if "blas" in BUILDS[name] else []
    assert [path[44:] for path in first.get("buildInputs", [])] == linked


@pytest.mark.parametrize("way", ["module", "rendered"])
def test_a_package_that_is_built_in_another_way_is_refused(way: str, tmp_path: Path) -> None:
    decided = plan(profile({"blas": "openblas"}))
    written("nixos", decided, tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(to_dict(decided)))
    file = host(tmp_path, "hostwright.profile = ./plan.json;")
    if way == "rendered":
        file = tmp_path / f"{decided.name}.nix"
    (answer,) = nix.evaluate_all([nix.Case(file, "25.11", "0.21.1")])
    (failed,) = answer["failed"]
    assert "services.ollama.package is Ollama 0.21.1" in failed
    assert "`ollama.build` of the profile takes 0.30.0 or later" in failed
    (answer,) = nix.evaluate_all([nix.Case(file, "unstable", "0.32.15")])
    assert answer["failed"] == []


@pytest.mark.parametrize(
    ("march", "system", "told"),
    [
        ("native", "x86_64-linux", "the processor of whoever builds"),
        ("armv9-a", "x86_64-linux", "no processor of x86_64-linux"),
        ("armv9-a", "aarch64-linux", "among processors of x86_64-linux"),
        ("haswell", "aarch64-linux", "and the host is aarch64-linux"),
    ],
)
def test_a_processor_that_cannot_be_chosen(march: str, system: str, told: str) -> None:
    asked = {"host": {"system": system}, "ollama": {"build": {"march": march}}}
    with pytest.raises(ProfileError) as caught:
        plan(asked)
    assert [told in problem.message for problem in caught.value.problems] == [True]


def patched(script: str) -> str:
    """Return what the script makes of the official build; a text that is not there is an error."""
    text = OFFICIAL
    for line in script.removeprefix("true\n").splitlines():
        match = re.fullmatch(
            r"substituteInPlace cmake/local\.cmake --replace-fail '?([^' ]+)'? '([^']+)'", line
        )
        assert match, line
        assert text.count(match[1]) == 1
        text = text.replace(match[1], match[2])
    return text


def test_the_variables_that_the_build_reads_are_set_without_a_remark() -> None:
    decided = plan(profile({"blas": "openblas"}))
    found = {setting.name: setting for setting in decided.service.environment}
    assert found["OPENBLAS_NUM_THREADS"].value == found["LLAMA_ARG_THREADS"].value == "8"
    assert found["OMP_NUM_THREADS"].reason == "Threads of OpenBLAS, which this build links."
    assert "MKL_NUM_THREADS" not in found
    assert decided.findings == ()
    # Without a library there is none that they bound.
    plain = plan(profile({"march": "haswell"}))
    assert "OPENBLAS_NUM_THREADS" not in {setting.name for setting in plain.service.environment}
