"""Records go in here: registers, contacts, issues and ratings; facts about them come out as events."""
