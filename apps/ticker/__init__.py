"""A market feed, as an exchange's public WebSocket has it: channels, a snapshot, then numbered updates."""
