"""What must survive a restart: tables, migrations and the store over them."""
