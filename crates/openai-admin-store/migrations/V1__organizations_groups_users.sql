-- One text for SQLite and PostgreSQL. Every key begins with the organization, so that a distributed PostgreSQL
-- can place each organization whole. Numbers inside, ids outside: a membership is three small integers.
--
-- /* clustered */ becomes WITHOUT ROWID on SQLite, where the primary key then is the table; PostgreSQL reads it
-- as the comment it is.
--
-- There are no foreign keys: each transaction checks what it needs, removed rows stay as tombstones, and
-- Store::verify checks the whole. The hot insert does not pay for the same check twice.

create table organizations (
    org            bigint not null primary key,
    id             text   not null unique,
    title          text   not null,
    created_at     bigint not null,
    last_user_seq  bigint not null default 0,
    last_group_seq bigint not null default 0
) /* clustered */;

-- A removed user leaves a tombstone without personal data: its id and seq keep cursors valid.
create table users (
    org                bigint not null,
    seq                bigint not null,
    id                 text   not null,
    email              text,
    email_key          text, -- the email in lower case: what is unique and looked up
    name               text   not null,
    role               text   not null,
    picture            text,
    user_type          text   not null,
    is_service_account bigint not null,
    technical_level    text,
    developer_persona  text,
    added_at           bigint not null,
    removed_at         bigint,
    primary key (org, seq)
) /* clustered */;

create unique index users_by_id on users (org, id);
create unique index users_by_email on users (org, email_key) where email_key is not null;

create table groups (
    org             bigint not null,
    seq             bigint not null,
    id              text   not null,
    name            text   not null,
    group_type      text   not null,
    is_scim_managed bigint not null,
    created_at      bigint not null,
    removed_at      bigint,
    primary key (org, seq)
) /* clustered */;

create unique index groups_by_id on groups (org, id);
create index groups_by_name on groups (org, name) where removed_at is null;

-- Who is in which group.
create table group_users (
    org       bigint not null,
    group_seq bigint not null,
    user_seq  bigint not null,
    primary key (org, group_seq, user_seq)
) /* clustered */;

create unique index group_users_by_user on group_users (org, user_seq, group_seq);

-- What happened: written by the transaction in which it happened. One change may have several items.
create table audit_events (
    org         bigint not null,
    change      text   not null,
    item        bigint not null,
    recorded_at bigint not null,
    actor       text   not null,
    event       text   not null,
    group_seq   bigint,
    user_seq    bigint,
    detail      text,
    primary key (org, change, item)
) /* clustered */;

-- The one table whose key is not led by the organization: a key is what tells the organization.
create table api_keys (
    hash         text   not null primary key,
    org          bigint not null,
    id           text   not null,
    name         text   not null,
    redacted     text   not null,
    scopes       text   not null,
    created_at   bigint not null,
    expires_at   bigint,
    last_used_at bigint,
    revoked_at   bigint
) /* clustered */;

create unique index api_keys_by_id on api_keys (org, id);
