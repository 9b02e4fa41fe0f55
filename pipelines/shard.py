"""A stage's work in shares that never meet, one for each machine."""

import hashlib
import math
import re
from dataclasses import dataclass
from typing import Self

from lake.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """The `number`-th of `of` shares of a stage's work, from 1: each key is in exactly one, by its hash."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2/4`; raises UsageError."""
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"--shard {text!r} is no i/n; of four machines the second takes 2/4")
        return cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """What its lock and its journal are called."""
        return "fetch" if self.of == 1 else f"fetch-{self.number}-of-{self.of}"

    @classmethod
    def named(cls, name: str) -> Self | None:
        """The shard of that name; None for any other name."""
        found = re.fullmatch(r"fetch-([0-9]+)-of-([0-9]+)", name)
        return cls() if name == "fetch" else cls(int(found[1]), int(found[2])) if found else None

    def holds(self, key: str) -> bool:
        """Whether a key is this shard's, however many others there are."""
        digest = hashlib.sha256(key.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    def meets(self, other: "Shard") -> bool:
        """Whether any key may be in both."""
        return (self.number - other.number) % math.gcd(self.of, other.of) == 0


WHOLE = Shard()
