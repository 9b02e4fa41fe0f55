"""Where everything lies: a lake's folders, catalog, image store and vector store, and search over them.

`lake` imports nothing else of glamlake; every stage is handed a `Lake` and finds its places there.
"""

from lake.layout import Lake

__all__ = ["Lake"]
