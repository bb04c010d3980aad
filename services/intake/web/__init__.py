"""The HTTP door for people: the page on which citizens rate."""
