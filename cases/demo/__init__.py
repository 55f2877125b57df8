"""A past to look at: accounts and some hundred invented cases, loaded like any other history."""
