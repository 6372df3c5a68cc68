"""The learners' side: what a person does in the playground, and what it sees."""
