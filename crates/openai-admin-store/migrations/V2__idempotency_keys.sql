-- The answers of creations, kept for a while so that a creation that is sent again is not made again. Of the request
-- there is only a hash, to tell another one under the same key. Not clustered: the rows are wide, and then SQLite would
-- rather read them all than go through the other indexes.
create table idempotency_keys (
    org         bigint not null,
    key         text   not null, -- SHA-256 of the key
    seq         bigint not null, -- the oldest are forgotten first
    request     text   not null, -- SHA-256 of what was asked
    recorded_at bigint not null,
    group_seq   bigint, -- what was created
    user_seq    bigint,
    answer      text, -- null since that was deleted
    primary key (org, key)
);

create unique index idempotency_keys_by_seq on idempotency_keys (org, seq);
create index idempotency_keys_by_group on idempotency_keys (org, group_seq) where group_seq is not null;
create index idempotency_keys_by_user on idempotency_keys (org, user_seq) where user_seq is not null;
