"""The demo: every transport side by side in a browser, on one feed, behind lines that can be made longer and cut.

`pushbench.demo.console` puts it together. No module of it is imported by what measures. But of its page `harness.js`,
`transports.js` and `message.js` measure, in the browser that `pushbench.browser` drives.
"""
