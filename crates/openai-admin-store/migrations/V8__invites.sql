-- Invites. Whether one has expired follows from the time. A removed invite leaves a tombstone without its address.
create table invites (
    org         bigint not null,
    seq         bigint not null,
    id          text   not null,
    email       text,
    email_key   text,
    role        text   not null,
    projects    text   not null, -- JSON
    created_at  bigint not null,
    expires_at  bigint not null,
    accepted_at bigint,
    user_seq    bigint, -- who accepted it
    removed_at  bigint,
    primary key (org, seq)
) /* clustered */;

create unique index invites_by_id on invites (org, id);
create index invites_by_email_key on invites (org, email_key, expires_at) where user_seq is null and removed_at is null;
create unique index invites_by_user on invites (org, user_seq) where removed_at is null;
