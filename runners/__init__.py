"""The runner program: jobs, workers, examples. No Discord, no knowledge."""
