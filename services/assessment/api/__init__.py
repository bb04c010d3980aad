"""The HTTP door for programs: routes, and the shapes of requests and responses."""
