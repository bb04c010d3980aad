"""What identity counts. Labels come from closed sets; no name, address or account is ever one."""

from prometheus_client import Counter, Histogram

sign_ins_total = Counter(
    "identity_sign_ins_total", "Attempts to sign in, by way and by what became of them", ["method", "outcome"]
)
step_ups_total = Counter("identity_step_ups_total", "Proofs asked for again, by what became of them", ["outcome"])
sessions_ended_total = Counter("identity_sessions_ended_total", "Sessions ended before their time, by why", ["reason"])
password_hash_seconds = Histogram(
    "identity_password_hash_seconds",
    "Time to hash one password, waiting for a turn included",
    buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4),
)
kept_total = Counter("identity_rows_removed_total", "Rows removed because their time was over, by kind", ["kind"])
tokens_asked_total = Counter(
    "identity_tokens_asked_total", "Access tokens that machines asked for, by what became of it", ["outcome"]
)
token_keys_made_total = Counter("identity_token_keys_made_total", "Keys made to sign access tokens with")
