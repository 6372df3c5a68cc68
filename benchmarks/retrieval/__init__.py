"""How well retrieval finds and refuses, beside plainer ways and without each of its parts."""
