"""The runner program's inside: the durable queue, the worker processes and the HTTP server."""
