"""Every stage in order, for `glamlake run`."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lake import Lake
from lake.errors import EmptyLake, EncoderError, ExportError
from models.encoder import EncoderSpec
from pipelines import exports, transform
from pipelines.archives import archive_names
from pipelines.embed import embed
from pipelines.fetch import FetchOptions, fetch
from pipelines.harvest import HarvestReport
from pipelines.plan import PORTS, Ask, harvest_all, harvest_plan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunPlan:
    """What every stage of a run is told; `is_default_encoder` where nobody named one."""

    asks: Sequence[Ask]
    fetch: FetchOptions
    curate: transform.CurateOptions
    encoder: EncoderSpec
    batch_size: int
    is_default_encoder: bool


def run_plan(environment: Mapping[str, str], options: Mapping[str, Any]) -> RunPlan:
    """A plan from the command line's options; raises as `harvest_plan` does."""
    left = dict(options)

    def take(*names: str) -> dict[str, Any]:
        return {name: left.pop(name) for name in names}

    fetching = take("workers", "max_side", "retry_failed", "allow_private_hosts", "insecure_hosts")
    curating = take("val_split", "test_split", "seed", "ood_providers")
    encoder = EncoderSpec(**take("model", "pretrained", "checkpoint"))
    batch_size = left.pop("batch_size")
    asks = harvest_plan(environment, **left)
    mirrors = [urlsplit(ask.options.base_url) for ask in asks if ask.options.base_url]
    hosts = tuple(f"{url.hostname}:{url.port or PORTS[url.scheme]}" for url in mirrors)
    fetch_options = FetchOptions(**fetching, allowed_hosts=hosts, contact=environment.get("GLAMLAKE_CONTACT"))
    return RunPlan(
        asks, fetch_options, transform.CurateOptions(**curating), encoder,
        batch_size, is_default_encoder=encoder == EncoderSpec(),
    )


def run(lake: Lake, plan: RunPlan) -> list[HarvestReport]:
    """Harvest, normalise, fetch, curate, embed and export.

    What cannot be done for want of pictures, rights or downloadable weights is said in a warning; an encoder
    somebody named must work. Raises whatever a stage raises otherwise.
    """
    reports = harvest_all(lake, plan.asks)
    transform.normalise(lake, archive_names())
    fetch(lake, plan.fetch)
    transform.curate(lake, plan.curate, archive_names())
    try:
        embed(lake, plan.encoder, plan.batch_size)
    except EmptyLake as e:
        log.warning("nothing to embed: %s", e)
    except EncoderError as e:
        if not plan.is_default_encoder:
            raise
        log.warning("not embedded: %s", e)
    try:
        log.info("export: %s", exports.export_by_content(lake, "webdataset"))
    except (EmptyLake, ExportError) as e:
        log.warning("nothing exported: %s", e)
    return reports
