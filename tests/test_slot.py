import threading
import time

from puppeteer.slot import LatestSlot


def test_the_newest_value_wins_and_is_taken_once() -> None:
    slot: LatestSlot[int] = LatestSlot()
    assert slot.get(0) is None and slot.peek() is None
    for value in (1, 2, 3):
        slot.put(value)
    assert slot.overwritten == 2
    assert slot.get() == 3
    assert slot.get(0) is None, "nothing new"
    assert slot.peek() == 3


def test_get_waits_for_news() -> None:
    slot: LatestSlot[str] = LatestSlot()
    threading.Timer(0.05, slot.put, ["news"]).start()
    assert slot.get(5) == "news"


def test_timeout() -> None:
    begun = time.monotonic()
    assert LatestSlot[int]().get(0.05) is None
    assert 0.04 < time.monotonic() - begun < 2


def test_close_wakes_everybody_and_ends_it() -> None:
    slot: LatestSlot[int] = LatestSlot()
    got: list[int | None] = []
    readers = [threading.Thread(target=lambda: got.append(slot.get())) for _ in range(3)]
    for reader in readers:
        reader.start()
    slot.close()
    slot.close()
    for reader in readers:
        reader.join(5)
    assert got == [None] * 3 and slot.closed
    slot.put(1)
    assert slot.get() is None
