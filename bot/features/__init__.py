"""The features, one file each, found by themselves: ``async def setup(bot)`` is all they need."""
