"""What a study channel does and when: decisions on values, without Discord."""
