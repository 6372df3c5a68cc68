"""How a database comes to have the tables of `bot.store.tables`, step by step."""
