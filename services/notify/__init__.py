"""Notify (通知): tells people which scores came to stand, in an inbox and by e-mail."""
