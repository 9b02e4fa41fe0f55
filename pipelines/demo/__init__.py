"""The built-in collection behind `glamlake demo`: drawn pictures and their untidy catalogue."""
