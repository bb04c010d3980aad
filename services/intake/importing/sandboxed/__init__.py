"""What reads files that somebody made, in a process of its own that can do nothing else. It knows no other room."""
