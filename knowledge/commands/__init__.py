"""The commands of ``python -m knowledge``, one module each."""
