"""The dashboards as pictures: ``python -m tests.deploy.sheet --out FOLDER [--only cc-wall]``.

Simulates a working day and a week, lets a real Prometheus run the shipped rules over them, asks
what the dashboards ask, and draws it.  docs/images/wall.png is its cc-wall.png.  Some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.generated import FOLDER
from tests.deploy.sheet.draw import picture
from tests.deploy.sheet.scenes import SEED, ZONE, Scene, day, week


def main() -> int:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    for scene in (day(), week()):
        uids = [uid for uid in scene.uids if options.only in (None, uid)]
        if uids:
            _draw(scene, uids, options.seed, options.out)
    return 0


def _draw(scene: Scene, uids: list[str], seed: int, out: Path) -> None:
    with TemporaryDirectory() as folder:
        storage, view = scene.fill(Path(folder), seed)
        with storage.running() as answers:
            for uid in uids:
                (path,) = (FOLDER / "grafana" / "dashboards").rglob(f"{uid}.json")
                dashboard = json.loads(path.read_text("utf-8"))
                picture(dashboard, answers, view, ZONE, out / f"{uid}.png")
                print(out / f"{uid}.png", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", help="the uid of one dashboard")
    parser.add_argument("--seed", type=int, default=SEED)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
