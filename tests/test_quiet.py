import os
import threading
import time

import pytest

from puppeteer.quiet import routine_log_dropped


def test_holds_in_two_threads_give_standard_error_back(capfd: pytest.CaptureFixture[str]) -> None:
    def hold(wait_s: float, text: bytes) -> None:
        with routine_log_dropped():
            os.write(2, text)
            time.sleep(wait_s)

    threads = [threading.Thread(target=hold, args=(0.1, b"one\n")), threading.Thread(target=hold, args=(0.2, b"two\n"))]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    os.write(2, b"after\n")
    assert sorted(capfd.readouterr().err.split()) == ["after", "one", "two"]
