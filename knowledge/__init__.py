"""The question bank and its retrieval: no Discord, no runners, no database."""
