-- Service accounts of projects. Each has a row in users with the same id, so that groups and roles take it like a user.
create table service_accounts (
    org         bigint not null,
    seq         bigint not null,
    id          text   not null,
    project_seq bigint not null,
    user_seq    bigint not null,
    name        text   not null,
    role        text   not null, -- in the project
    created_at  bigint not null,
    removed_at  bigint,
    primary key (org, seq)
) /* clustered */;

create unique index service_accounts_by_id on service_accounts (org, id);
create index service_accounts_by_project on service_accounts (org, project_seq, seq);
create unique index service_accounts_by_user on service_accounts (org, user_seq);

-- An API key of a project has an owner there. It is no admin key: no request is authenticated by it.
alter table api_keys add column project_seq bigint;
alter table api_keys add column user_seq bigint;
create index api_keys_by_project on api_keys (org, project_seq, created_at, id) where project_seq is not null;
create index api_keys_by_user on api_keys (org, user_seq, id) where user_seq is not null;
