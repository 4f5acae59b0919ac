"""The demo: every transport side by side in a browser, on one feed, behind lines that can be made longer and cut.

`pushbench.demo.console` puts it together. Nothing of it is imported by what measures.
"""
