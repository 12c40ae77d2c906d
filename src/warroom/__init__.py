"""The incident room of a trading firm."""
