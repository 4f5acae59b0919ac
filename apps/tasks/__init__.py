"""A list of tasks that several people keep: acted on by REST or by WebSocket, heard of by every transport."""
