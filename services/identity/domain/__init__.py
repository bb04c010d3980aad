"""What accounts, proofs and sessions are and what may happen to them: pure."""
