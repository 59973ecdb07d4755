"""The studio window. Importing this package costs nothing; `studio` opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puppeteer.live import Parts
    from puppeteer.settings import Settings


def studio(parts: Parts, settings: Settings | None = None) -> None:
    """Opens the window and stays until it is closed. Raises DisplayError where no window can be opened.

    `settings` win over the latest profile, for this time: what differs from it is not written into it.
    """
    from puppeteer.gui.display import Probe

    probe = Probe()
    from puppeteer.gui.ending import ended_from_outside
    from puppeteer.gui.profiles import Profiles, user_folder
    from puppeteer.gui.window import Window
    from puppeteer.live import Live

    profiles = Profiles(user_folder())
    kept = profiles.start()
    if settings is not None:
        profiles.pass_over(settings)
    probe.check()
    window = Window(Live(settings or kept, parts=parts), profiles)
    with ended_from_outside(window.stop, window.studio.close):
        window.run()
