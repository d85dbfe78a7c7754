-- External keys. A deleted key leaves a tombstone without its name and location.
create table external_keys (
    org        bigint not null,
    seq        bigint not null,
    id         text   not null,
    name       text   not null,
    purpose    text   not null,
    location   text   not null, -- JSON: the type and its fields
    created_at bigint not null,
    removed_at bigint,
    primary key (org, seq)
) /* clustered */;

create unique index external_keys_by_id on external_keys (org, id);
create index external_keys_by_purpose on external_keys (org, purpose, seq) where removed_at is null;
-- A key lists the projects that use it.
create index projects_by_external_key on projects (org, external_key_id, seq)
    where external_key_id is not null and removed_at is null;
