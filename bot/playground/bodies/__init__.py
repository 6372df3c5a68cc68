"""What the bot may send: one model a request body, with Discord's limits."""
