"""Shows in the terminal what arrives from a phone or another program.

python -m puppeteer.inputs.watch ifacialmocap --address 192.168.1.23
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from contextlib import closing

from puppeteer.errors import PuppeteerError
from puppeteer.inputs import FACES, open_faces
from puppeteer.pose import NUMBERS, FaceObservation

SHOWN_S = 0.2  # between lines


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m puppeteer.inputs.watch", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=FACES)
    parser.add_argument("--address", default="", help="of the phone; without it, whoever sends first")
    parser.add_argument("--port", type=int, default=0, help="to listen to; without it, the usual one")
    parser.add_argument("--mapping", default="", help="a file of your own instead of puppeteer/inputs/mapping.toml")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long")
    asked = parser.parse_args(arguments)
    try:
        with closing(open_faces(asked.kind, asked.address, asked.port, asked.mapping)) as faces:
            said, due_s, end_s = "", 0.0, time.perf_counter() + asked.seconds
            while time.perf_counter() < end_s:
                arrival = faces.read()
                condition = faces.condition()
                sentence = f"{condition.state}: {condition.text}"
                if (news := re.sub(r"\d+ a second", "", sentence)) != said:
                    said = news
                    print(sentence, flush=True)
                if arrival is not None and arrival.face is not None and arrival.time_s >= due_s:
                    due_s = arrival.time_s + SHOWN_S
                    print(line(arrival.face), flush=True)
    except PuppeteerError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def line(face: FaceObservation) -> str:
    """The numbers that are known, two digits each."""
    known = ((declared.name, getattr(face, declared.name, None)) for declared in NUMBERS)
    return "  ".join(f"{name} {value:+.2f}" for name, value in known if value is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
