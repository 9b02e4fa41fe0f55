"""The search page: an application over a lake, rendered on the server; imports `lake` and `models`."""
