"""Reusable charts: frames, words and colours in, a matplotlib Figure out. Nothing is computed here.

`page` holds the colours, the type and the page; `labels` finds places for words; `paths` draws
what happens around events, `minute_paths` in the minutes around them, `day_picture` one day from
close to close, `effects` estimates with their intervals, `curve` all specifications.
"""
