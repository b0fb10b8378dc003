"""Pages of settings around a server, and of topics."""

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.explain.around import litellm_keys, setting_names, topic_names
from generator.explain.lookup import explain, find, listed
from generator.explain.page import Prose


@pytest.mark.parametrize(
    ("word", "kind", "name"),
    [
        ("maxconn", "setting", "maxconn"),
        ("timeout server", "setting", "timeout server"),
        ("proxy_buffering", "setting", "proxy_buffering"),
        ("cache_params:", "setting", "cache_params"),
        ("semantic_cache_scope", "setting",
         "litellm_settings.cache_params.semantic_cache_scope"),
        ("queue", "topic", "queue"),
        ("NUMA", "topic", "numa"),
        ("auth", "topic", "authentication"),
        ("batching", "topic", "batching"),
        ("warm-up", "topic", "warm-up"),
        ("nvidia_uvm", "topic", "nvidia_uvm"),
        ("CPUQuotaPerSecUSec", "topic", "cpu-quota-as-shown"),
        ("CPUQuotaPerSecUSec=20s", "topic", "cpu-quota-as-shown"),
        ("TTFT", "topic", "time-to-first-token"),
        ("Q4_K_M", "topic", "quantisation"),
        ("iq2_xxs", "topic", "quantisation"),
    ],
)  # fmt: skip
def test_a_name_leads_to_its_page(word: str, kind: str, name: str) -> None:
    assert (kind, name) in find(word)
    assert (kind, name) in {(page.kind, page.name) for page in explain([word])}


def test_a_setting_says_whose_it_is_and_which_rules_are_about_it() -> None:
    (page,) = explain(["proxy_buffering"])
    assert page.title == "proxy_buffering · setting of nginx"
    assert page.facts["default"] == "on"
    assert page.facts["rules"] == ["HW224"]


def test_each_quantisation_is_told_with_what_it_costs() -> None:
    (page,) = explain(["Q4_K_M"])
    told = {one.label: one.text for one in page.blocks if isinstance(one, Prose)}
    assert told["Q2_K"].endswith("Perplexity of Llama 3 8B: +3.5199.")
    assert {"Q4_K_M", "Q8_0", "MXFP4", "BF16"} <= told.keys()


def test_every_name_that_a_topic_sends_to_is_there() -> None:
    for topic in load_catalogue().topics.values():
        assert [word for word in topic.see if not find(word)] == []


def test_what_has_a_page_is_listed_once() -> None:
    names = [entry.name for kind in ("setting", "topic") for entry in listed(kind)]
    assert len(names) == len(set(names))
    assert set(names) == {*setting_names().values(), *topic_names().values()}
    assert set(litellm_keys()) <= set(names)


def test_a_slip_of_the_finger_is_understood() -> None:
    with pytest.raises(Exception, match="nothing to explain") as caught:
        explain(["proxy_bufering"])
    assert "`proxy_buffering`" in getattr(caught.value, "hint", "")
