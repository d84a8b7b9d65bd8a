"""Keys act one after the other, each where the one before it has put the focus.

Over a slow line keys arrive in clumps. Textual hands them all to what has the focus at that moment, so in "/acme" the
letters would act on the list ("a" ticks everything) before the filter line has the focus. Here the next key is handed
on when the one before it has been dealt with.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any, Final

from textual import events
from textual.app import App, ReturnType
from textual.dom import DOMNode
from textual.message import Message

ROUNDS: Final = 3  # what a key sets off takes messages of its own: enter in the filter line takes two to move the focus
RELEASE_SECONDS: Final = 1.0  # a key that nobody tells the end of holds up the next one no longer
LOOK_SECONDS: Final = 0.02  # so often is looked whether what had the focus went away with its key, as a dialog does


class OrderedKeysApp(App[ReturnType]):
    """An app whose keys are dealt with in turn. Only key presses are held back, never by more than an instant."""

    class KeyDealtWith(Message):
        """Follows a key on its way up to the app, and so arrives after it; some rounds, so that what the key set off
        has arrived too."""

        def __init__(self, target: DOMNode, round_: int = 1) -> None:
            super().__init__()
            self.target, self.round = target, round_

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._keys_held: deque[events.Key] = deque()
        self._key_under_way = False
        self._key_number = 0
        self._key_target: DOMNode = self

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_under_way:
            self._keys_held.append(event)
            self._watch_key()
        else:
            await self._deal_with(event)

    async def _deal_with(self, event: events.Key) -> None:
        target = self.focused or self.screen
        self._key_under_way, self._key_target = True, target
        self._key_number += 1
        if self._keys_held:
            self._watch_key()
        await super().on_event(event)
        if not target.post_message(self.KeyDealtWith(target)):
            await self._next_key()

    async def on_ordered_keys_app_key_dealt_with(self, event: KeyDealtWith) -> None:
        again = self.KeyDealtWith(event.target, event.round + 1)
        if event.round >= ROUNDS or not event.target.post_message(again):
            await self._next_key()

    async def _next_key(self) -> None:
        self._key_under_way = False
        if self._keys_held:
            await self._deal_with(self._keys_held.popleft())

    def _watch_key(self) -> None:
        """Go on when this key, and not one after it, is still under way although what had it is gone, or after a while."""
        number, until = self._key_number, monotonic() + RELEASE_SECONDS
        self.set_timer(LOOK_SECONDS, lambda: self._release_if_stuck(number, until))

    async def _release_if_stuck(self, number: int, until: float) -> None:
        if not (self._keys_held and self._key_under_way and number == self._key_number):
            return
        if monotonic() >= until or not (self._key_target.is_attached and self._key_target.is_running):
            await self._next_key()
        else:
            self.set_timer(LOOK_SECONDS, lambda: self._release_if_stuck(number, until))
