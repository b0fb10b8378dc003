import generator
from generator.resolve import resolve


def test_the_public_names_are_these() -> None:
    assert sorted(generator.__all__) == [
        "Catalogue",
        "File",
        "Finding",
        "HostwrightError",
        "Plan",
        "Problem",
        "Profile",
        "ProfileError",
        "TARGETS",
        "__version__",
        "load_catalogue",
        "load_profile",
        "load_target",
    ]


def test_each_of_them_is_there() -> None:
    for name in generator.__all__:
        assert getattr(generator, name) is not None


def test_the_api_renders_a_profile() -> None:
    plan = resolve(
        generator.load_profile("xeon-cpu"), generator.load_catalogue(), source="xeon-cpu"
    )
    files = generator.load_target("systemd").render(plan)
    assert any(file.path.endswith("20-limits.conf") for file in files)
