"""What reads files that somebody made, in a process that can do nothing else. It knows the domain and no other room."""
