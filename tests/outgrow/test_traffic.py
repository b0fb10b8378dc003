"""What a log says: concurrency, pace and repeats, of the three kinds that are read."""

import json
from collections.abc import Iterator

import pytest

from generator.errors import HostwrightError
from generator.outgrow import traffic
from generator.outgrow.traffic import Traffic, lines_of, read_log


def read(*lines: str) -> Traffic:
    return read_log([f"{line}\n".encode() for line in lines], "x.log")


def haproxy(second: float, timers: str, path: str = "/api/chat") -> str:
    return (
        f"Nov 29 10:00:00 host haproxy[7]: 10.0.0.1:5000 [29/Nov/2026:10:00:{second:06.3f}] "
        f"front ollama/main {timers} 200 812 - - ---- 1/1/0/0/0 0/0 "
        f'"POST {path} HTTP/1.1"'
    )


def caddy(ended: float, seconds: float, path: str = "/v1/chat/completions") -> str:
    return json.dumps({"ts": ended, "duration": seconds, "request": {"uri": path}, "status": 200})


def test_haproxy() -> None:
    # Four of two seconds in a slot; the last has waited three before.
    lines = [haproxy(s, "0/0/1/90/2000") for s in (0, 0, 1)]
    found = read(*lines, haproxy(0, "0/3000/1/90/5000"), haproxy(3, "0/0/0/1/1", "/metrics"))
    assert (found.requests, found.damaged, found.seconds) == (4, 0, 2.0)
    # Two in the first second, three in the second, one in the third and one each till the fifth.
    assert found.most == 3
    assert {row.at_once: row.share for row in found.busy} == {"1": 0.6, "2": 0.2, "3-4": 0.2}
    assert found.above == 0
    assert found.repeated is None


def test_caddy_says_when_an_answer_has_ended() -> None:
    found = read(*[caddy(110, 10) for _ in range(5)], caddy(115, 5), caddy(116, 1, "/favicon.ico"))
    assert (found.requests, found.most) == (6, 5)
    assert found.above == pytest.approx(10 / 15)
    assert found.span == 11
    assert found.per_second == pytest.approx(6 / 11)


def test_a_request_that_its_client_gave_up_has_no_time() -> None:
    found = read(haproxy(0, "0/0/1/-1/-1"), haproxy(0, "0/0/1/5/1000"))
    assert (found.requests, found.seconds) == (2, 1.0)


def prompt(text: object, time: float | None = None, **more: object) -> str:
    told = {} if time is None else {"time": time}
    return json.dumps({**told, "prompt": text, **more})


def test_prompts_tell_repeats_within_an_hour() -> None:
    found = read(prompt("a", 0), prompt("a", 10), prompt("b", 20), prompt("a", 4000))
    assert found.repeated == 0.25
    assert read(prompt("a"), prompt("a")).repeated == 0.5
    assert read(prompt("a", model="x"), prompt("a", model="y")).repeated == 0


def test_messages_and_tokens_and_times_in_words() -> None:
    line = {"time": "2026-11-29T10:00:00Z", "messages": [{"role": "user", "content": "a"}]}
    found = read(json.dumps({**line, "tokens": 30, "seconds": 2}), json.dumps(line))
    assert (found.tokens, found.seconds, found.repeated) == (15, 2.0, 0.5)


def test_bursts_are_told_by_the_busiest_minute() -> None:
    calm = [prompt(str(s), 60 * s) for s in range(100)]
    burst = [prompt(f"b{s}", 6000 + s / 10) for s in range(120)]
    found = read(*calm, *burst)
    assert found.per_second == 2
    assert found.mean == pytest.approx(220 / 6012, rel=1e-3)
    assert found.most is None


def test_little_over_a_minute_asks_for_no_less_than_its_mean() -> None:
    found = read(*[prompt(str(s), s) for s in (0, 60)])
    assert found.per_second == found.mean == pytest.approx(2 / 61)


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "{",
        "[]",
        '{"request": {}, "duration": 1}',
        '{"ts": 1, "request": {"uri": "/api/chat"}, "duration": -1}',
        '{"ts": "x", "request": {"uri": "/api/chat"}, "duration": 1}',
        '{"ts": 1e300, "request": {"uri": "/api/chat"}, "duration": 1}',
        '{"time": 1, "seconds": NaN, "prompt": ""}',
        '{"time": 1, "seconds": 1e999, "prompt": ""}',
        '{"a": 1}',
        "[" * 5000,
        '{"a":' * 5000,
        "\x00\xff",
    ],
)
def test_what_is_no_such_log_is_said_with_its_line(line: str) -> None:
    with pytest.raises(HostwrightError, match=r"x\.log:2: is no line of such a log"):
        read("", line)


def test_a_few_bad_lines_are_left_out_and_told() -> None:
    found = read("rotated", *[prompt(str(n), n) for n in range(5)])
    assert (found.requests, found.damaged) == (5, 1)
    assert "1 lines are of no such log, and were left out" in found.remarks


def test_a_log_of_other_things_has_no_requests() -> None:
    with pytest.raises(HostwrightError, match="has no request for a model"):
        read(caddy(1, 1, "/"), haproxy(1, "0/0/0/0/0", "/stats"))


def test_times_that_are_too_far_apart_have_no_place() -> None:
    with pytest.raises(HostwrightError, match="more than 30 days apart"):
        read(prompt("a", 1e9), prompt("b", 1e9 + 31 * 86400))
    with pytest.raises(HostwrightError, match="not in order"):
        read(prompt("a", 1e9), prompt("b", 1e9 - 2 * 86400))


def test_a_line_without_end_is_read_in_pieces_and_counted_once() -> None:
    class Endless:
        asked = 0

        def readline(self, most: int) -> bytes:
            self.asked += 1
            if self.asked == 9:
                return b'tail\n{"prompt": "a"}\n'[:5]
            return b"x" * most if self.asked < 9 else b'{"prompt": "a"}' * (self.asked == 10)

    stream = Endless()
    assert [len(line) for line in lines_of(stream)] == [traffic.LONGEST_LINE, 15]
    assert stream.asked >= 10


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MOST_PROMPTS", 3)

    def lines() -> Iterator[bytes]:
        for number in range(10):
            yield prompt(str(number), number).encode()
        yield prompt("0", 11).encode()

    found = read_log(lines(), "x.log")
    assert found.repeated == pytest.approx(1 / 11)
    assert "repeats are those of the first 3 prompts" in found.remarks
