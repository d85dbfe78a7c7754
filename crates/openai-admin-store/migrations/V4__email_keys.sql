-- Addresses are compared in NFC, without invisible characters and with one sigma. The program writes the new keys
-- after this text, since neither engine can compute them. Where another user has the new key already, the old one is
-- kept.

-- Answers of creations are forgotten by time.
create index if not exists idempotency_keys_by_time on idempotency_keys (recorded_at);
