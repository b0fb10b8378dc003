"""What a model may be wanted for."""

from __future__ import annotations

from typing import Final

CHAT: Final = "chat"
EMBEDDING: Final = "embedding"
RAG: Final = "rag"
"""To find texts, and to talk about them."""
PURPOSES: Final = (CHAT, "code", "vision", "reasoning", EMBEDDING, RAG)
