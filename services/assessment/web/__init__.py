"""The HTTP door for people: pages rendered from templates."""
