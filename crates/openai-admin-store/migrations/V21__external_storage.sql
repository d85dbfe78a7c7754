-- External storage. project_seq is -1 for the default project. A deleted storage leaves a tombstone without its provider.
create table external_storage (
    org         bigint not null,
    seq         bigint not null,
    id          text   not null,
    project_seq bigint not null,
    provider    text   not null, -- JSON: the type and its fields
    geography   text   not null, -- empty if the region is unknown
    status      text   not null,
    created_at  bigint not null,
    removed_at  bigint,
    primary key (org, seq)
) /* clustered */;

create unique index external_storage_by_id on external_storage (org, id);
create index external_storage_by_project on external_storage (org, project_seq, seq) where removed_at is null;
