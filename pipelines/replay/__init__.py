"""A local server that answers like the archives' services, and misbehaves when told to.

    storm = Fault("http_429", "/v1/search", times=3, retry_after="1")
    with ReplayServer([FinnaService(records)], faults=[storm]) as server:
        harvest(..., base_url=server.url)

Tests and `glamlake demo` use it; `python -m pipelines.replay --samples DIR` plays recorded answers.
"""

from pipelines.replay.answers import Answer, PictureSource, Service
from pipelines.replay.demo import DemoService
from pipelines.replay.europeana import EuropeanaService
from pipelines.replay.faults import Fault
from pipelines.replay.finna import FinnaService
from pipelines.replay.loc_maps import LocService
from pipelines.replay.national_archive import NationalArchiveService
from pipelines.replay.recorded import RecordedService
from pipelines.replay.server import ReplayServer, Request
from pipelines.replay.sites import SitePicture, SiteService, gallery_pages, vehicles_page
from pipelines.replay.smu import SmuService

__all__ = [
    "Answer", "DemoService", "EuropeanaService", "Fault", "FinnaService", "LocService",
    "NationalArchiveService", "PictureSource", "RecordedService", "ReplayServer", "Request", "Service",
    "SitePicture", "SiteService", "SmuService", "gallery_pages", "vehicles_page",
]
