"""The examples, one file each; the catalogue finds them by itself."""
