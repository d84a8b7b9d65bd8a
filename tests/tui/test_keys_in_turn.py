"""Keys act one after the other; the one that closes a dialog does not hold up the next."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Button

import tui.keys
from tui.keys import OrderedKeysApp


class Dialog(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Button("Close")

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss()

    def on_ordered_keys_app_key_dealt_with(self, event: OrderedKeysApp.KeyDealtWith) -> None:
        event.stop()  # what is on its way up while the dialog closes is lost: here always


class Program(OrderedKeysApp[None]):
    def __init__(self) -> None:
        super().__init__()
        self.pressed: asyncio.Queue[str] = asyncio.Queue()

    def compose(self) -> ComposeResult:
        yield Button("Under it")

    def on_key(self, event: events.Key) -> None:
        self.pressed.put_nowait(event.key)


async def test_a_key_right_after_the_one_that_closes_a_dialog_acts_under_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tui.keys, "RELEASE_SECONDS", 3600.0)
    app = Program()
    async with app.run_test() as pilot:
        await app.push_screen(Dialog())
        await pilot.pause()
        for key in "wxy":  # in one clump
            app.post_message(events.Key(key, key))
        async with asyncio.timeout(10):
            assert [await app.pressed.get(), await app.pressed.get()] == ["x", "y"]
