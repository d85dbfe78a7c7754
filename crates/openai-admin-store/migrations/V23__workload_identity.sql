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

-- Federation rules of providers. A rule ends with its service account, and leaves a tombstone without its texts.
create table federation_rules (
    org                bigint not null,
    seq                bigint not null,
    id                 text   not null,
    provider_seq       bigint not null,
    project_seq        bigint not null, -- of the service account
    account_seq        bigint not null,
    name               text,
    description        text,
    enabled            bigint not null,
    attribute_matchers text   not null, -- JSON
    permissions        text   not null, -- JSON
    created_at         bigint not null,
    updated_at         bigint not null,
    removed_at         bigint,
    primary key (org, seq)
) /* clustered */;

create unique index federation_rules_by_id on federation_rules (org, id);
create index federation_rules_by_provider on federation_rules (org, provider_seq, seq) where removed_at is null;
create index federation_rules_by_account on federation_rules (org, account_seq, seq) where removed_at is null;
