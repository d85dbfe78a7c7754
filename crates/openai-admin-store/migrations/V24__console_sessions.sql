-- Sessions of the web console. A session ends with its key, so each read of a session joins the key.
create table console_sessions (
    hash           text   not null, -- SHA-256 of the value of the cookie
    org            bigint not null,
    key_id         text, -- null for the operator of this machine
    created_at     bigint not null,
    seen_at        bigint not null,
    unlocked_until bigint,
    primary key (hash)
);
