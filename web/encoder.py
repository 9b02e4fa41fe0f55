"""An encoder shared by all visitors: loaded when the first one needs it, used by one at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lake import Lake
from lake.search import QueryEncoder
from lake.vectors import VectorStore

EncoderLoader = Callable[[], QueryEncoder]
Vector = NDArray[np.float32]
_REMEMBERED = 2_000    # vectors of texts: what was asked is asked again, page after page


class SharedEncoder:
    """An encoder that loads itself once; a failed load is tried again by the next visitor. Thread-safe.

    Where `dim` is known beforehand, a search for what is like a sample needs no weights.
    """

    def __init__(self, model_id: str, load: EncoderLoader, dim: int | None = None) -> None:
        self.model_id = model_id
        self._dim = dim
        self._load = load
        self._lock = threading.Lock()
        self._loaded: QueryEncoder | None = None
        self._texts: OrderedDict[str, Vector] = OrderedDict()

    def load(self) -> None:
        """Load the weights now, unless they are there: seconds."""
        with self._lock:
            self._encoder()

    def encode_images(self, images: Sequence[Any]) -> Vector:
        """See `models.clip.Encoder`."""
        if not images and self._dim is not None:
            return np.zeros((0, self._dim), dtype=np.float32)
        with self._lock:
            return self._encoder().encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Vector:
        """See `models.clip.Encoder`; a text that was encoded lately is not encoded again."""
        with self._lock:
            if not texts:
                return self._encoder().encode_texts(texts)
            if missing := [text for text in dict.fromkeys(texts) if text not in self._texts]:
                self._texts.update(zip(missing, self._encoder().encode_texts(missing), strict=True))
            for text in texts:
                self._texts.move_to_end(text)
            vectors: Vector = np.stack([self._texts[text] for text in texts])
            while len(self._texts) > _REMEMBERED:
                self._texts.popitem(last=False)
            return vectors

    def _encoder(self) -> QueryEncoder:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded


class LakeEncoder:
    """The encoder given, or that of the model the lake was embedded with last. Thread-safe."""

    def __init__(self, lake: Lake, given: QueryEncoder | EncoderLoader | None = None) -> None:
        self._lake = lake
        self._given = given
        self._lock = threading.Lock()
        self._shared: SharedEncoder | None = None

    @property
    def has_vectors(self) -> bool:
        """Whether anything can be found by likeness."""
        return bool(VectorStore(self._lake).models())

    def current(self) -> SharedEncoder:
        """The encoder to search with now; raises EmptyLake where nothing is embedded yet."""
        with self._lock:
            if self._given is None:
                self._shared = self._newest(self._shared)
            elif self._shared is None:
                self._shared = _shared(self._given)
            return self._shared

    def _newest(self, held: SharedEncoder | None) -> SharedEncoder:
        from models.encoder import embedded_model, open_encoder

        info = embedded_model(self._lake)
        if held is not None and held.model_id == info.model_id:
            return held
        return SharedEncoder(info.model_id, lambda: open_encoder(self._lake, info.model_id), info.dim)


def _shared(given: QueryEncoder | EncoderLoader) -> SharedEncoder:
    loaded = cast(QueryEncoder, given) if hasattr(given, "encode_texts") else given()
    return SharedEncoder(loaded.model_id, lambda: loaded)
