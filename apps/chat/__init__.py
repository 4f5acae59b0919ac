"""A chat: the server's rooms, and what was said in one before somebody came."""
