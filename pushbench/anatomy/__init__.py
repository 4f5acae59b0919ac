"""One exchange taken apart: every byte with what it is, when it passed and who waited for whom.

    capture ─→ exchange ─→ directions (http, events, frames, quic) ─→ timeline, costs ─→ text, page, record, notebook

What is captured is kept as it is; what the bytes are is made of it anew whenever it is shown.
"""
