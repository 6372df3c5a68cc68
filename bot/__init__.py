"""The Discord program: the only package that imports discord."""
