"""The studio window. Importing this package costs nothing; `studio` opens it."""

from __future__ import annotations


def studio() -> None:
    """Opens the window and stays until it is closed. Raises DisplayError where no window can be opened."""
    from puppeteer.gui.display import Probe

    probe = Probe()
    from puppeteer.gui.profiles import Profiles, user_folder
    from puppeteer.gui.window import Window
    from puppeteer.live import Live

    profiles = Profiles(user_folder())
    settings = profiles.start()
    probe.check()
    Window(Live(settings), profiles).run()
