"""Every stage in order, for `glamlake run`."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

from lake import Lake
from lake.errors import EmptyLake, EncoderError, ExportError
from models.encoder import EncoderSpec
from pipelines import exports, queries, transform
from pipelines.archives import archive_names
from pipelines.embed import EmbedOptions, embed, from_options
from pipelines.fetch import FetchOptions, fetch
from pipelines.harvest import HarvestReport
from pipelines.plan import PORTS, Ask, harvest_all, harvest_plan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunPlan:
    """What every stage of a run is told; `is_default_encoder` where nobody named one."""

    asks: Sequence[Ask]
    fetch: FetchOptions
    normalise: transform.NormaliseOptions
    curate: transform.CurateOptions
    encoder: EncoderSpec
    embed: EmbedOptions
    is_default_encoder: bool


def run_plan(environment: Mapping[str, str], options: Mapping[str, Any]) -> RunPlan:
    """A plan from the command line's options; raises as `harvest_plan` does."""
    fetching = _share(options, FetchOptions)
    encoder, embed_options = from_options(options)
    asked = {name: options[name] for name in signature(harvest_plan).parameters if name in options}
    asks = harvest_plan(environment, **asked)
    mirrors = [urlsplit(ask.options.base_url) for ask in asks if ask.options.base_url]
    hosts = tuple(f"{url.hostname}:{url.port or PORTS[url.scheme]}" for url in mirrors)
    fetch_options = FetchOptions(**fetching, allowed_hosts=hosts, contact=environment.get("GLAMLAKE_CONTACT"))
    curate_options = transform.CurateOptions(**_share(options, transform.CurateOptions))
    is_default = encoder == EncoderSpec()
    days = queries.parse_date_range(options.get("start_date"), options.get("end_date"))
    normalise_options = transform.NormaliseOptions(*days, options.get("undated", "keep"))
    return RunPlan(asks, fetch_options, normalise_options, curate_options, encoder, embed_options, is_default)


def _share(options: Mapping[str, Any], stage: type) -> dict[str, Any]:
    """Those of the options that a stage's dataclass has."""
    return {field.name: options[field.name] for field in fields(stage) if field.name in options}


def run(lake: Lake, plan: RunPlan) -> list[HarvestReport]:
    """Harvest, normalise, fetch, curate, embed and export.

    What cannot be done for want of pictures, rights or downloadable weights is said in a warning; an encoder
    somebody named must work. Raises whatever a stage raises otherwise.
    """
    reports = harvest_all(lake, plan.asks)
    transform.normalise(lake, archive_names(), plan.normalise)
    fetch(lake, plan.fetch)
    transform.curate(lake, plan.curate, archive_names())
    try:
        embed(lake, plan.encoder, plan.embed)
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
