"""Measurements beside other people's tools: on request only (`make bench`)."""
