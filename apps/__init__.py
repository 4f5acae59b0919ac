"""Three small applications on the server's hub: a task list, a chat and a ticker. `python -m apps` serves them together.

They use `servers` as any application would, and know nothing of clients and benchmarks.
"""
