"""Cards of the catalogue, made once a process for all tests that read them."""

import functools

from impact.cards.card import event_card

card = functools.cache(event_card)
