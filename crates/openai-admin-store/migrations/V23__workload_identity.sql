-- Workload identity providers. A deleted provider leaves a tombstone without its texts.
create table workload_identity_providers (
    org                       bigint not null,
    seq                       bigint not null,
    id                        text   not null,
    name                      text   not null,
    description               text,
    issuer                    text   not null,
    audience                  text   not null,
    enabled                   bigint not null,
    attribute_transformations text   not null, -- JSON
    verification              text   not null, -- JSON
    created_at                bigint not null,
    updated_at                bigint not null,
    removed_at                bigint,
    primary key (org, seq)
) /* clustered */;

create unique index workload_identity_providers_by_id on workload_identity_providers (org, id);
