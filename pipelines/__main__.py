"""`python -m pipelines` is `glamlake`."""

from pipelines.cli import main

main()
