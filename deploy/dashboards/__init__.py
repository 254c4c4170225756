"""The Grafana dashboards, as programs: classic JSON, the same for Grafana 10 to 13.

Of KPIs they read recorded series alone (``deploy.names``): the gauges themselves are there twice
while a partition moves.  What a KPI has to reach is never typed in, it is read from ``cc_target``.
"""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards import agents, history, pipeline, queue, satisfaction, wall, written
from deploy.dashboards.frame import Made

DASHBOARDS: dict[str, tuple[Made, ...]] = {
    "contact-centre": (
        wall.dashboard,
        queue.dashboard,
        history.dashboard,
        written.dashboard,
        satisfaction.dashboard,
    ),
    "platform": (pipeline.dashboard,),
    "agents": (agents.dashboard,),
}
"""Folder below ``grafana/dashboards`` -> what is in it.  Each is a folder of Grafana's, and
``agents`` is shown to nobody until somebody provisions it (``grafana/optional``)."""
IN_A_MENU = "inControlsMenu"


def files() -> dict[str, str]:
    """Path relative to ``deploy/`` -> JSON."""
    return {
        f"grafana/dashboards/{folder}/{made().uid}.json": as_json(made)
        for folder, dashboards in DASHBOARDS.items()
        for made in dashboards
    }


def as_json(made: Made) -> str:
    """The model as it is provisioned; sorted, so that a change is a small difference."""
    model = json.loads(json.dumps(made(), cls=JSONEncoder))
    return json.dumps(_where_it_was(model), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _where_it_was(part: Any) -> Any:
    """The SDK puts every link and annotation into a menu of new Grafanas, where nobody looks."""
    if isinstance(part, dict):
        kept = {name: of for name, of in part.items() if of != IN_A_MENU}
        return {name: _where_it_was(of) for name, of in kept.items()}
    return [_where_it_was(of) for of in part] if isinstance(part, list) else part
