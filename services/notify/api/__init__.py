"""The HTTP door for programs: one file a topic."""
