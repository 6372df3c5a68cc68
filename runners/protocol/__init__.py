"""What the runner program and its clients say to each other: values and pure functions only."""
