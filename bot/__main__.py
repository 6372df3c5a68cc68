"""``python -m bot`` is ``xueban``."""

from bot.cli import main

main()
