"""The gallery of lies: ways in which push benchmarks mislead, each run wrong and right on the same server.

`table` says what they are, `ways/` how each is run both ways, `stage` on what, `gallery` in which order.
`record` and `store` have what comes of it, `text`, `page` and `showing` how it is told.
"""
