"""A Discord on loopback: its wire, its limits and a learner's side, and nothing of the tutor."""
