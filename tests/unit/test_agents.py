"""What a browser calls itself becomes two words, and never what it sent."""

from __future__ import annotations

import pytest

from config.http.agents import described

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 "
    "Safari/537.36 Edg/140.0": "Edge on Windows",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile "
    "Safari/537.36": "Chrome on Android",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Safari/605.1.15": "Safari on macOS",
    "curl/8.9": "Another program",
    "": "Another program",
    "<script>alert(1)</script> Linux": "Another program on Linux",
}


@pytest.mark.parametrize(("agent", "words"), AGENTS.items())
def test_a_browser_is_known_by_its_name_and_its_system(agent: str, words: str) -> None:
    assert described(agent) == words
