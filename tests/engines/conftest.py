from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engines.cluster import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start an API server of Kubernetes once, for all tests that ask it."""
    from tests.engines.cluster import started  # Tests of other programs go without it.

    with started(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running
