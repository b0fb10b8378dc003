"""What is decided, by release. Expected values are from the seeds and the fact sheets."""

from collections.abc import Mapping

import pytest

from generator.errors import ProfileError
from generator.plan import Plan
from tests.plans import ALONE, PROFILES, environment, plan, rules, shipped

GIB = 2**30


def limits(plan: Plan) -> dict[str, int | str]:
    return {limit.name: limit.value for limit in plan.service.limits}


def parameters(plan: Plan, index: int = 0) -> dict[str, str]:
    return {p.name: p.value for p in plan.service.models[index].parameters}


def refused(data: Mapping[str, object], version: str | None = None) -> dict[str, str]:
    with pytest.raises(ProfileError) as caught:
        plan(data, version)
    return {problem.where: problem.message for problem in caught.value.problems}


class TestTheSeeds:
    def test_xeon_on_the_newest_release(self) -> None:
        decided = shipped("xeon-cpu")
        assert environment(decided) == {
            "OLLAMA_LLM_LIBRARY": "cpu_avx2",
            "LLAMA_ARG_THREADS": "20",
            "OMP_NUM_THREADS": "20",
            "MKL_NUM_THREADS": "20",
            "OPENBLAS_NUM_THREADS": "20",
            "OLLAMA_CONTEXT_LENGTH": "8192",
            "OLLAMA_NUM_PARALLEL": "4",
            "OLLAMA_MAX_LOADED_MODELS": "3",
            "OLLAMA_FLASH_ATTENTION": "1",
            "OLLAMA_KV_CACHE_TYPE": "q8_0",
            "LLAMA_ARG_CACHE_RAM": "256",
        }
        assert limits(decided) == {
            "cpu_quota": 2000,
            "cpu_weight": 100,
            "memory_max": 20 * GIB,
            "memory_swap_max": 0,
        }
        assert [model.served for model in decided.service.models] == [
            "qwen2.5-coder:7b",
            "deepseek-r1:7b",
            "llama3.1:8b",
        ]
        assert {"HW105", "HW201", "HW203"} <= rules(decided)

    def test_dual_pascal_on_the_newest_release(self) -> None:
        decided = shipped("dual-pascal")
        assert environment(decided) == {
            "CUDA_VISIBLE_DEVICES": "0,1",
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "OLLAMA_LLM_LIBRARY": "cuda_v12",
            "OLLAMA_SCHED_SPREAD": "1",
            "OLLAMA_KEEP_ALIVE": "1h",
            "OLLAMA_FLASH_ATTENTION": "1",
        }
        assert decided.service.devices is not None
        assert decided.service.devices.driver is not None
        assert decided.service.devices.driver.branch == "legacy_580"
        assert not decided.service.devices.driver.open
        assert decided.service.devices.driver.cuda_architectures == ("61",)
        assert [unit.kind for unit in decided.service.jobs] == ["pull", "resume"]
        assert "OLLAMA_NUM_GPU_LAYERS=999" in decided.service.omissions[0].what

    def test_dgx_spark_on_the_newest_release(self) -> None:
        decided = shipped("dgx-spark")
        found = environment(decided)
        assert found["LLAMA_ARG_THREADS"] == "16"
        assert "OLLAMA_NUM_THREADS" not in found
        assert found["OLLAMA_FLASH_ATTENTION"] == "0"
        assert found["OLLAMA_CONTEXT_LENGTH"] == "8192"
        assert found["OLLAMA_KEEP_ALIVE"] == "30m"
        assert decided.service.devices is not None
        assert decided.service.devices.driver is not None
        assert decided.service.devices.driver.open
        assert decided.service.devices.driver.cuda_architectures == ()

    def test_container_dev_warms_up(self) -> None:
        decided = shipped("container-dev")
        assert environment(decided) == {
            "OLLAMA_NUM_PARALLEL": "1",
            "OLLAMA_MAX_LOADED_MODELS": "2",
            "OLLAMA_KEEP_ALIVE": "24h",
        }
        warmup = decided.service.jobs[-1]
        assert (warmup.kind, warmup.timeout_seconds) == ("warmup", 300)
        assert warmup.commands[0].argv[5:] == ("llama3:8b",)


class TestThreads:
    @pytest.mark.parametrize("version", ["0.30", "0.31.0", "0.32.15"])
    def test_llama_server_has_a_variable(self, version: str) -> None:
        decided = shipped("xeon-cpu", version=version)
        setting = next(s for s in decided.service.environment if s.name == "LLAMA_ARG_THREADS")
        assert setting.value == "20"
        assert "Stands in for OLLAMA_NUM_THREADS, which" in setting.reason
        assert parameters(decided) == {}

    @pytest.mark.parametrize("version", ["0.9", "0.12.4", "0.24"])
    def test_before_it_the_model_carries_them(self, version: str) -> None:
        decided = shipped("xeon-cpu", version=version)
        assert "LLAMA_ARG_THREADS" not in environment(decided)
        assert [model.served for model in decided.service.models] == [
            "qwen2.5-coder:7b-tuned",
            "deepseek-r1:7b-tuned",
            "llama3.1:8b-tuned",
        ]
        assert parameters(decided) == {"num_thread": "20"}
        create = next(unit for unit in decided.service.jobs if unit.kind == "create")
        assert create.steps[0].argv[1:3] == ("create", "qwen2.5-coder:7b-tuned")

    def test_a_models_own_number_wins(self) -> None:
        decided = plan(
            {
                "threads": {"count": 8},
                "models": [{"name": "a:b", "parameters": {"num_thread": 4}}],
            },
            "0.24",
        )
        assert parameters(decided) == {"num_thread": "4"}

    def test_without_a_model_the_old_lever_is_told_to_be_missing(self) -> None:
        decided = plan({"threads": {"count": 8}}, "0.24")
        assert "HW503" in rules(decided)
        assert [omission.what for omission in decided.service.omissions] == ["num_thread 8"]

    @pytest.mark.parametrize(
        ("cpu", "resources", "count"),
        [
            ({"cores": 12, "threads": 24}, {}, "12"),
            ({"cores": 12, "threads": 24}, {"cpu_quota": "400%"}, "3"),
            ({"cores": 12, "threads": 24}, {"cpu_quota": "401%"}, "4"),
            ({"cores": 12, "threads": 24}, {"cpus": 20}, "12"),
            ({"cores": 12, "threads": 24}, {"cpu_quota": "50%"}, "1"),
            ({"cores": 12, "threads": 24}, {"allowed_cpus": "0-3"}, "4"),
            ({"cores": 12, "threads": 24}, {"allowed_cpus": "0-7", "cpu_quota": "300%"}, "2"),
            # What is allowed to four CPUs is all that they have, so that it bounds nothing.
            ({"cores": 12, "threads": 24}, {"allowed_cpus": "0-3", "cpu_quota": "400%"}, "4"),
        ],
    )
    def test_left_out_they_follow_cores_and_quota(
        self, cpu: dict[str, int], resources: dict[str, object], count: str
    ) -> None:
        decided = plan({"host": {"cpu": cpu}, "resources": resources})
        assert environment(decided)["LLAMA_ARG_THREADS"] == count

    def test_left_out_on_an_unknown_host_nothing_is_set(self) -> None:
        assert environment(plan({})) == {}

    @pytest.mark.parametrize(
        ("quota", "severity"), [("700%", "warning"), ("800%", "info"), ("900%", None)]
    )
    def test_a_quota_that_they_fill_is_told(self, quota: str, severity: str | None) -> None:
        decided = plan({"threads": {"count": 8}, "resources": {"cpu_quota": quota}})
        found = [f.severity for f in decided.findings if f.rule == "HW202"]
        assert found == ([severity] if severity else [])


class TestLimits:
    @pytest.mark.parametrize(
        ("host", "quota", "memory"),
        [
            ({"cpu": {"cores": 12, "threads": 24}, "memory": "32GiB"}, 1300, 28 * GIB),
            ({"cpu": {"cores": 4, "threads": 4}, "memory": "8GiB"}, None, 6 * GIB),
            ({"memory": "3GiB"}, None, None),
        ],
    )
    def test_left_out_they_follow_the_host(
        self, host: Mapping[str, object], quota: int | None, memory: int | None
    ) -> None:
        found = limits(plan({"host": host}))
        assert found.get("cpu_quota") == quota
        assert found.get("memory_max") == memory

    def test_mlock_gets_the_limit_that_it_needs(self) -> None:
        decided = plan({"ollama": {"env": {"LLAMA_ARG_MLOCK": "1"}}})
        assert limits(decided) == {"limit_memlock": "infinity"}

    def test_what_the_host_does_not_have_is_refused_all_at_once(self) -> None:
        found = refused(
            {
                "host": {"cpu": {"cores": 4, "threads": 8}, "memory": "16GiB"},
                "resources": {
                    "cpu_quota": "900%",
                    "memory_max": "17G",
                    "allowed_cpus": "0-8",
                },
                "threads": {"count": 9},
            }
        )
        assert set(found) == {
            "resources.cpu_quota",
            "resources.memory_max",
            "resources.allowed_cpus",
            "threads.count",
        }

    def test_a_soft_limit_above_the_hard_one_is_refused(self) -> None:
        data = {"resources": {"memory_max": "8G", "memory_high": "9G"}}
        assert set(refused(data)) == {"resources.memory_high"}


class TestLibrary:
    @pytest.mark.parametrize(
        ("version", "library"),
        [("0.5.13", "cuda_v12"), ("0.9", None), ("0.12.3", "cuda_v12"), ("0.32.15", "cuda_v12")],
    )
    def test_cuda_on_pascal_is_the_releases_own_member(
        self, version: str, library: str | None
    ) -> None:
        decided = shipped("dual-pascal", version=version)
        assert environment(decided).get("OLLAMA_LLM_LIBRARY") == library
        assert ("HW106" in rules(decided)) == (library is None)

    def test_the_release_that_misjudges_a_new_driver_is_told_the_library(self) -> None:
        gpus = [{"name": "Quadro P4000", "memory": "8GiB"}]
        for version, library in (("0.11.11", "cuda_v12"), ("0.12.0", None), ("0.32.15", None)):
            found = environment(plan({"host": {"gpus": gpus}}, version))
            assert found.get("OLLAMA_LLM_LIBRARY") == library

    def test_a_library_without_kernels_for_the_card_is_left_out(self) -> None:
        decided = shipped("dual-pascal", "ollama.llm_library=cuda_v13")
        assert "OLLAMA_LLM_LIBRARY" not in environment(decided)
        assert any("cuda_v13" in omission.what for omission in decided.service.omissions)

    @pytest.mark.parametrize("gpus", [[], [{"name": "GTX 1070 Mystery", "memory": "8GiB"}]])
    def test_no_library_is_guessed_for_a_card_that_is_not_known(
        self, gpus: list[dict[str, str]]
    ) -> None:
        ollama = {"acceleration": "cuda", "llm_library": "cuda"}
        decided = plan({"host": {"gpus": gpus}, "ollama": ollama})
        assert "OLLAMA_LLM_LIBRARY" not in environment(decided)
        assert "HW106" in rules(decided)
        assert ("HW305" in rules(decided)) == bool(gpus)

    def test_blackwell_takes_the_newest(self) -> None:
        decided = shipped("dgx-spark", "ollama.llm_library=cuda")
        assert environment(decided)["OLLAMA_LLM_LIBRARY"] == "cuda_v13"

    @pytest.mark.parametrize("version", ["0.5.7", "0.9", "0.12.4", "0.32.15"])
    def test_cpu_avx2_stays_on_a_cpu_host(self, version: str) -> None:
        decided = shipped("xeon-cpu", version=version)
        assert environment(decided)["OLLAMA_LLM_LIBRARY"] == "cpu_avx2"


class TestFlashAttentionAndCache:
    def test_a_quantised_cache_turns_flash_attention_on(self) -> None:
        found = environment(plan({"ollama": {"kv_cache_type": "q8_0"}}))
        assert found == {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_KV_CACHE_TYPE": "q8_0"}

    def test_without_flash_attention_it_would_fail_every_load(self) -> None:
        data = {"ollama": {"kv_cache_type": "q8_0", "flash_attention": False}}
        assert "every load would fail" in refused(data)["ollama.kv_cache_type"]

    def test_before_llama_server_it_is_left_out_with_a_warning(self) -> None:
        data = {"ollama": {"kv_cache_type": "q8_0", "flash_attention": False}}
        decided = plan(data, "0.24")
        assert "OLLAMA_KV_CACHE_TYPE" not in environment(decided)
        assert "HW107" in rules(decided)

    def test_a_type_that_the_release_does_not_take_is_refused(self) -> None:
        assert set(refused({"ollama": {"kv_cache_type": "q5_0"}}, "0.24")) == {
            "ollama.kv_cache_type"
        }
        assert (
            environment(plan({"ollama": {"kv_cache_type": "q5_0"}}))["OLLAMA_KV_CACHE_TYPE"]
            == "q5_0"
        )


class TestGpu:
    def test_memory_left_free_changes_name_and_unit(self) -> None:
        data = {"ollama": {"gpu_overhead": "512M", "acceleration": "cuda"}}
        assert environment(plan(data, "0.24"))["OLLAMA_GPU_OVERHEAD"] == "536870912"
        assert environment(plan(data))["LLAMA_ARG_FIT_TARGET"] == "512"
        assert "OLLAMA_GPU_OVERHEAD" not in environment(plan(data))

    def test_a_forced_number_of_layers_uses_the_lever_of_the_release(self) -> None:
        data = {
            "ollama": {"acceleration": "cuda"},
            "gpu": {"layers": 20},
            "models": [{"name": "a:b"}],
        }
        assert environment(plan(data))["LLAMA_ARG_N_GPU_LAYERS"] == "20"
        assert parameters(plan(data, "0.24")) == {"num_gpu": "20"}

    def test_a_gpu_host_that_computes_on_the_cpu_hides_its_gpu(self) -> None:
        data = {
            "host": {"gpus": [{"name": "NVIDIA GB10", "memory": "119GiB"}]},
            "ollama": {"acceleration": "cpu"},
        }
        hidden = {"CUDA_VISIBLE_DEVICES": "-1", "OLLAMA_VULKAN": "0"}
        assert environment(plan(data)) == hidden

    def test_a_capability_left_out_is_looked_up_by_name(self) -> None:
        data = {"host": {"gpus": [{"name": "GTX 1060 6GB", "memory": "6GiB"}]}}
        decided = plan(data)
        assert decided.service.devices is not None
        assert decided.host.gpus[0].compute_capability == "6.1"

    def test_an_index_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(ProfileError) as caught:
            shipped("dual-pascal", "gpu.visible_devices=['0','2']")
        assert caught.value.problems[0].message == "there is no GPU 2; this host has 2"

    def test_no_driver_serves_pascal_and_blackwell(self) -> None:
        gpus = [
            {"name": "Quadro P4000", "memory": "8GiB"},
            {"name": "NVIDIA GB10", "memory": "119GiB"},
        ]
        assert "no driver serves both" in refused({"host": {"gpus": gpus}})["host.gpus"]

    @pytest.mark.parametrize(
        ("driver", "version", "rule"),
        [
            ("580", None, None),
            ("595", None, "HW302"),
            ("535", None, "HW301"),
            ("535", "0.24", None),
        ],
    )
    def test_driver_floor_and_ceiling(
        self, driver: str, version: str | None, rule: str | None
    ) -> None:
        found = rules(shipped("dual-pascal", f"host.driver='{driver}'", version=version))
        assert found & {"HW301", "HW302"} == ({rule} if rule else set())

    @pytest.mark.parametrize(("version", "told"), [("0.32.15", True), ("0.15.4", False)])
    def test_an_unset_context_on_a_large_gpu_is_told(self, version: str, told: bool) -> None:
        gpus = [{"name": "NVIDIA GB10", "memory": "119GiB"}]
        assert ("HW304" in rules(plan({"host": {"gpus": gpus}}, version))) == told

    def test_vulkan_is_switched_on_where_it_is_off(self) -> None:
        data = {"ollama": {"acceleration": "vulkan"}}
        assert environment(plan(data, "0.24"))["OLLAMA_VULKAN"] == "1"
        assert "OLLAMA_VULKAN" not in environment(plan(data))

    def test_amd_gpus_are_chosen_by_rocms_variable(self) -> None:
        data = {"ollama": {"acceleration": "rocm"}, "gpu": {"visible_devices": ["0"]}}
        decided = plan(data)
        assert environment(decided)["ROCR_VISIBLE_DEVICES"] == "0"
        assert decided.service.container.image == "ollama/ollama:0.32.15-rocm"

    @pytest.mark.parametrize(("system", "told"), [("aarch64-linux", True), ("x86_64-linux", False)])
    def test_an_image_that_is_not_made_is_told(self, system: str, told: bool) -> None:
        data = {"host": {"system": system}, "ollama": {"acceleration": "rocm"}}
        assert ("HW506" in rules(plan(data))) == told


class TestReleases:
    def test_a_variable_that_is_not_there_yet_is_left_out_and_told(self) -> None:
        decided = plan({"ollama": {"no_cloud": True}}, "0.9")
        assert environment(decided) == {}
        assert "HW103" in rules(decided)
        assert decided.service.omissions[0].what == "OLLAMA_NO_CLOUD"

    def test_strict_makes_an_error_of_it(self) -> None:
        with pytest.raises(ProfileError) as caught:
            shipped("xeon-cpu", "ollama.no_cloud=true", version="0.9", strict=True)
        assert caught.value.problems[0].where == "ollama.no_cloud"

    @pytest.mark.parametrize("name", PROFILES)
    def test_the_shipped_profiles_are_strict_on_the_newest_release(self, name: str) -> None:
        assert shipped(name, strict=True).services[0].release == "0.32.15"

    def test_context_before_its_variable_is_a_parameter(self) -> None:
        data = {"ollama": {"context_length": 8192}, "models": [{"name": "a:b"}]}
        assert parameters(plan(data, "0.5.12")) == {"num_ctx": "8192"}

    def test_a_line_means_its_newest_release(self) -> None:
        assert plan({}, "0.9").service.release == "0.9.6"
        assert plan({"ollama": {"version": "0.24"}}).service.release == "0.24.0"

    def test_a_release_that_never_was_is_refused(self) -> None:
        with pytest.raises(ProfileError) as caught:
            plan({}, "0.9.99")
        assert caught.value.problems[0].where == "--ollama-version"
        assert "0.9.6" in caught.value.problems[0].hint

    def test_a_newer_release_than_known_is_told(self) -> None:
        assert "HW110" in rules(plan({}, "0.40.0"))


class TestPromptCache:
    def test_it_is_mebibytes_of_host_memory(self) -> None:
        values = {"1G": "1024", 0: "0", "infinity": "-1"}
        for written, value in values.items():
            decided = plan({"ollama": {"prompt_cache": written}})
            assert environment(decided)["LLAMA_ARG_CACHE_RAM"] == value

    def test_where_there_is_none_it_is_left_out_and_told(self) -> None:
        decided = plan({"ollama": {"prompt_cache": "1G"}}, "0.24")
        assert "LLAMA_ARG_CACHE_RAM" not in environment(decided)
        assert [omission.what for omission in decided.service.omissions] == [
            "LLAMA_ARG_CACHE_RAM=1024"
        ]
        assert not rules(decided)


class TestEnv:
    def test_it_is_emitted_as_written(self) -> None:
        decided = plan({"ollama": {"env": {"FOO": "  a b  "}}})
        assert environment(decided) == {"FOO": "  a b  "}

    @pytest.mark.parametrize(
        ("name", "version", "rule"),
        [
            ("OLLAMA_NUM_CTX", None, "HW101"),
            ("OLLAMA_MAX_VRAM", None, "HW102"),
            ("LLAMA_ARG_NUMA", "0.24", "HW103"),
        ],
    )
    def test_what_the_release_does_not_read_is_told(
        self, name: str, version: str | None, rule: str
    ) -> None:
        decided = plan({"ollama": {"env": {name: "distribute"}}}, version)
        assert rule in rules(decided)
        assert "ead" in decided.service.environment[-1].reason

    @pytest.mark.parametrize(
        "name", ["OLLAMA_HOST", "OLLAMA_MODELS", "HOME", "OLLAMA_NUM_PARALLEL"]
    )
    def test_a_variable_with_a_key_of_its_own_is_refused(self, name: str) -> None:
        assert set(refused({"ollama": {"env": {name: "1"}}})) == {f"ollama.env.{name}"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LLAMA_ARG_CTX_CHECKPOINTS", ""),
            ("LLAMA_ARG_CTX_CHECKPOINTS", "512M"),
            ("LLAMA_ARG_CTX_CHECKPOINTS", "99999999999999999999"),
            ("LLAMA_ARG_NUMA", "1"),
            ("LLAMA_ARG_CACHE_TYPE_K", "bogus"),
            ("LLAMA_ARG_N_PREDICT", ""),
            ("LLAMA_ARG_API_PREFIX", "/x"),
            ("LLAMA_API_KEY", "secret"),
        ],
    )
    def test_what_breaks_every_load_is_refused(self, name: str, value: str) -> None:
        assert set(refused({"ollama": {"env": {name: value}}})) == {f"ollama.env.{name}"}
        if name != "LLAMA_API_KEY":  # A secret is refused of any release.
            plan({"ollama": {"env": {name: value}}}, "0.24")

    def test_a_quantised_cache_by_variable_needs_flash_attention_too(self) -> None:
        data = {"ollama": {"flash_attention": False, "env": {"LLAMA_ARG_CACHE_TYPE_K": "q8_0"}}}
        assert set(refused(data)) == {"ollama.env.LLAMA_ARG_CACHE_TYPE_K"}

    def test_what_llama_server_reads_without_an_entry_is_known(self) -> None:
        data = {"ollama": {"env": {"LLAMA_ARG_N_PREDICT": "5"}}}
        assert rules(plan(data)) == set()
        assert plan(data).service.environment[-1].reason.startswith("Read by llama-server")
        assert rules(plan(data, "0.24")) == {"HW103"}

    def test_a_name_that_looks_like_one_is_answered_with_it(self) -> None:
        decided = plan({"ollama": {"env": {"OLLAMA_NUM_PARALEL": "4"}}})
        finding = next(f for f in decided.findings if f.rule == "HW104")
        assert finding.fix == "did you mean `OLLAMA_NUM_PARALLEL`?"

    def test_threads_by_a_library_variable_conflict_with_the_key(self) -> None:
        data = {"threads": {"count": 4}, "ollama": {"env": {"OMP_NUM_THREADS": "8"}}}
        assert set(refused(data)) == {"ollama.env.OMP_NUM_THREADS"}


class TestModelsAndJobs:
    def test_parameters_make_a_model_beside_its_base(self) -> None:
        decided = plan(
            {"models": [{"name": "phi4", "parameters": {"num_ctx": 4096, "temperature": 0.5}}]}
        )
        assert decided.service.models[0].served == "phi4:tuned"
        assert parameters(decided) == {"num_ctx": "4096", "temperature": "0.5"}

    def test_an_unknown_parameter_is_refused_with_a_guess(self) -> None:
        with pytest.raises(ProfileError) as caught:
            plan({"models": [{"name": "phi4", "parameters": {"num_threads": 4}}]})
        assert "num_thread" in caught.value.problems[0].hint

    def test_a_list_parameter_is_a_line_each(self) -> None:
        decided = plan({"models": [{"name": "phi4", "parameters": {"stop": ["a", "b"]}}]})
        assert [(p.name, p.value) for p in decided.service.models[0].parameters] == [
            ("stop", "a"),
            ("stop", "b"),
        ]

    def test_the_same_model_twice_is_refused(self) -> None:
        data = {"models": [{"name": "phi4"}, {"name": "phi4"}]}
        assert set(refused(data)) == {"models.1.name"}

    def test_a_name_of_its_own_needs_parameters(self) -> None:
        assert set(refused({"models": [{"name": "phi4", "serve_as": "x"}]})) == {
            "models.0.serve_as"
        }

    @pytest.mark.parametrize(
        ("data", "rule"),
        [
            ({"ollama": {"keep_alive": "0"}}, "HW501"),
            ({"ollama": {"max_loaded_models": 1}}, "HW502"),
        ],
    )
    def test_a_warmup_in_vain_is_told(self, data: Mapping[str, object], rule: str) -> None:
        models = [{"name": "a", "preload": True}, {"name": "b", "preload": True}]
        assert rule in rules(plan({**data, "models": models}))
        assert rule not in rules(plan({"models": models}))

    def test_modelfiles_of_like_names_are_apart(self) -> None:
        tuned = {"num_ctx": 4096}
        models = [{"name": n, "parameters": tuned} for n in ("a/b", "a-b")]
        decided = plan({"models": models})
        assert len({m.modelfile.file for m in decided.service.models if m.modelfile}) == 2

    @pytest.mark.parametrize(("path", "told"), [("/home/me/models", True), ("/models", False)])
    def test_a_directory_that_the_sandbox_hides_is_told(self, path: str, told: bool) -> None:
        assert ("HW505" in rules(plan({"ollama": {"models_dir": path}}))) == told

    def test_a_warmup_without_models_is_refused(self) -> None:
        assert set(refused({"warmup": {"enable": True}})) == {"warmup.enable"}

    def test_an_embedding_model_cannot_be_warmed(self) -> None:
        models = [{"name": "nomic-embed-text", "role": "embedding", "preload": True}]
        assert "HW504" in rules(plan({"models": models}))

    def test_resume_fix_is_about_nvidia(self) -> None:
        assert set(refused({"service": {"resume_fix": True}})) == {"service.resume_fix"}

    @pytest.mark.parametrize(
        ("host", "told"),
        [("192.168.1.5", True), ("127.0.0.1", False), ("::1", False), ("localhost", False)],
    )
    def test_an_open_api_is_told(self, host: str, told: bool) -> None:
        assert ("HW401" in rules(plan({"ollama": {"host": host}}))) == told


class TestLegacyEnv:
    def test_dead_names_come_too_when_asked_for(self) -> None:
        decided = shipped("dual-pascal", legacy_env=True)
        found = environment(decided)
        assert found["OLLAMA_NUM_GPU_LAYERS"] == "999"
        assert environment(shipped("xeon-cpu", legacy_env=True))["OLLAMA_NUM_THREADS"] == "20"
        legacy = [s for s in decided.service.environment if s.source == "legacy"]
        assert all("no release" in setting.reason for setting in legacy)

    def test_what_is_emitted_is_not_said_to_be_left_out(self) -> None:
        for name in ALONE:
            decided = shipped(name, legacy_env=True)
            emitted = set(environment(decided))
            assert not [o for o in decided.service.omissions if o.what.split("=")[0] in emitted]

    def test_the_warmup_switch_of_the_seed_is_accounted_for(self) -> None:
        assert any("WARMUP" in o.what for o in shipped("container-dev").service.omissions)
        asked = plan({"models": [{"name": "llama3:8b", "preload": True}]}).service.omissions
        assert not any("WARMUP" in o.what for o in asked)
        found = environment(shipped("container-dev", legacy_env=True))
        assert found["OLLAMA_WARMUP_ENABLED"] == "true"

    def test_otherwise_no_dead_name_is_emitted(self) -> None:
        for name in ALONE:
            for version in ("0.9", "0.24", None):
                dead = {"OLLAMA_NUM_THREADS", "OLLAMA_NUM_GPU_LAYERS", "OLLAMA_NO_CUDA"}
                assert not dead & set(environment(shipped(name, version=version)))


class TestWhatComputes:
    """The maker of a card decides, and a card that nothing computes on is refused."""

    @pytest.mark.parametrize(
        ("gpu", "version", "acceleration"),
        [
            ({"name": "Radeon RX 7900 XTX"}, None, "rocm"),
            ({"name": "AMD Radeon RX 6700 XT"}, None, "vulkan"),
            ({"name": "Radeon of a friend"}, None, "rocm"),
            ({"name": "the red one", "vendor": "amd"}, None, "rocm"),
            ({"name": "the red one", "pci_id": "1002:73df:c1"}, None, "vulkan"),
            ({"name": "Arc B580"}, None, "vulkan"),
            ({"name": "Arc B580"}, "0.12.11", "vulkan"),
            ({"name": "RTX 4090"}, None, "cuda"),
            ({"name": "a card"}, None, "cuda"),
            ({"name": "a card", "compute_capability": "8.9"}, None, "cuda"),
        ],
    )
    def test_by_the_maker(
        self, gpu: dict[str, str], version: str | None, acceleration: str
    ) -> None:
        decided = plan({"host": {"gpus": [{**gpu, "memory": "12GiB"}]}}, version)
        assert decided.service.acceleration == acceleration

    def test_a_radeon_is_no_nvidia_host(self) -> None:
        decided = plan({"host": {"gpus": [{"name": "Radeon RX 7900 XTX", "memory": "24GiB"}]}})
        assert decided.service.devices is not None
        assert decided.service.devices.vendor == "amd"
        assert decided.service.devices.modules == ()
        assert "HW305" not in rules(decided)

    def test_a_radeon_of_unknown_target_is_told(self) -> None:
        decided = plan({"host": {"gpus": [{"name": "Radeon of a friend", "memory": "24GiB"}]}})
        found = next(f for f in decided.findings if f.rule == "HW305")
        assert "nvidia" not in f"{found.message} {found.fix}"
        assert "pci_id" in found.fix

    def test_the_most_memory_decides_between_makers(self) -> None:
        cards = [{"name": "RTX 4060", "memory": "8GiB"}, {"name": "RX 7900 XTX", "memory": "24GiB"}]
        assert plan({"host": {"gpus": cards}}).service.acceleration == "rocm"

    @pytest.mark.parametrize(
        ("name", "asked", "version", "where", "message"),
        [
            ("Arc B580", None, "0.12.3", "host.gpus", "nothing in Ollama 0.12.3 computes on"),
            ("Radeon RX 7900 XTX", "cuda", None, "ollama.acceleration", "`cuda` does not compute"),
            ("RTX 4090", "rocm", None, "ollama.acceleration", "`rocm` does not compute on RTX"),
            ("Arc B580", "cuda", None, "ollama.acceleration", "`cuda` does not compute on Arc"),
        ],
    )
    def test_a_card_that_nothing_computes_on_is_refused(
        self, name: str, asked: str | None, version: str | None, where: str, message: str
    ) -> None:
        ollama = {"acceleration": asked} if asked else {}
        host = {"gpus": [{"name": name, "memory": "12GiB"}]}
        assert refused({"host": host, "ollama": ollama}, version)[where].startswith(message)

    def test_the_cpu_may_be_asked_for_all_the_same(self) -> None:
        host = {"gpus": [{"name": "Arc B580", "memory": "12GiB"}]}
        decided = plan({"host": host, "ollama": {"acceleration": "cpu"}}, "0.12.3")
        assert decided.service.devices is None

    @pytest.mark.parametrize(
        ("name", "version", "told"),
        [
            ("Radeon 780M", None, True),
            ("Radeon 890M", None, True),
            ("Radeon 8060S", None, False),  # the one that is taken by itself
            ("Radeon 780M", "0.12.11", False),  # no release before 0.30 drops them
            ("Radeon RX 7900 XTX", None, False),
        ],
    )
    def test_an_integrated_gpu_is_admitted(
        self, name: str, version: str | None, told: bool
    ) -> None:
        decided = plan({"host": {"gpus": [{"name": name, "memory": "16GiB"}]}}, version)
        assert ("OLLAMA_IGPU_ENABLE" in environment(decided)) == told


HANDED = {"id_ed25519": {"path": "/run/k"}, "SSL_CERT_FILE": {"path": "/run/c"}}


class TestSecrets:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("HF_TOKEN", "hf_abc"),
            ("OPENAI_API_KEY", "sk-1"),
            ("db_password", "hunter2"),
            ("AWS_SECRET_ACCESS_KEY", "a+b"),
            ("SERVICE_KEY", "0xfe"),
            ("HTTPS_PROXY", "http://me:pw@proxy.lan:3128"),
            ("ANY", "postgres://me:pw@db/x"),
        ],
    )
    def test_one_in_the_profile_is_refused_with_the_way_out(self, name: str, value: str) -> None:
        with pytest.raises(ProfileError) as caught:
            plan({"ollama": {"env": {name: value}}})
        (problem,) = caught.value.problems
        assert problem.where == f"ollama.env.{name}"
        assert "service.environment_files" in problem.hint
        assert value not in f"{problem.message} {problem.hint}"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("HF_TOKEN_PATH", "/run/token"),
            ("HF_TOKEN", "/run/token"),
            ("OLLAMA_LAUNCH_API_KEY", "ollama"),
            ("SSH_PUBLIC_KEY", "ssh-ed25519 AAAA"),
            ("HTTPS_PROXY", "http://proxy.lan:3128"),
            ("MAX_TOKENS", "100"),
        ],
    )
    def test_what_is_none_is_left_alone(self, name: str, value: str) -> None:
        assert environment(plan({"ollama": {"env": {name: value}}}))[name] == value

    def test_who_ignores_the_rule_with_a_reason_has_decided(self) -> None:
        ignore = [{"rule": "HW406", "reason": "it opens nothing"}]
        given = {"A_TOKEN": "opens-nothing"}
        data = {"ollama": {"env": given}, "check": {"ignore": ignore}}
        assert environment(plan(data)).items() >= given.items()

    def test_a_credential_that_nothing_reads_is_refused(self) -> None:
        data = {"service": {"credentials": HANDED | {"hf": {"path": "/run/t"}}}}
        assert set(refused(data)) == {"service.credentials.hf"}

    def test_a_variable_is_told_once(self) -> None:
        data = {
            "service": {"credentials": HANDED},
            "ollama": {"env": {"SSL_CERT_FILE": "/etc/own.pem"}},
        }
        assert set(refused(data)) == {"service.credentials.SSL_CERT_FILE"}

    def test_what_a_file_may_set_is_not_missed(self) -> None:
        large = {"host": {"gpus": [{"name": "NVIDIA GB10", "memory": "120GiB"}]}}
        files = {"service": {"environment_files": ["/run/o.env"]}}
        told = [{f.rule for f in plan(data).findings} for data in (large, large | files)]
        assert ["HW304" in rules for rules in told] == [True, False]
