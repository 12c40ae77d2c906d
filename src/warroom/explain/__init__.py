"""What a severity sets going, told in the order of time: `warroom check --explain`."""
