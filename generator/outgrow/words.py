"""Numbers in sentences."""

from __future__ import annotations


def number(value: float) -> str:
    """Return a number to three digits, without an exponent."""
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 -- whole, as a float has them
        return str(int(value))
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 100:  # noqa: PLR2004 -- digits
        return str(int(rounded))
    text = f"{rounded:g}"
    return (f"{rounded:.9f}".rstrip("0").rstrip(".") or "0") if "e" in text else text


def several(count: float, what: str) -> str:
    """Return `1 slot`, `4 slots`, `0.5 requests`."""
    return f"{number(count)} {what}" if count == 1 else f"{number(count)} {what}s"
