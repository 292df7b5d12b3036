"""A plugin of msalext that keeps each item in a plain file of its user."""
