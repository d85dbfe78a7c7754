-- Projects. The default project of an organization is computed and has no row. An archived project keeps everything.
create table projects (
    org             bigint not null,
    seq             bigint not null,
    id              text   not null,
    name            text   not null,
    residency       text,
    external_key_id text,
    created_at      bigint not null,
    removed_at      bigint, -- archived
    primary key (org, seq)
) /* clustered */;

create unique index projects_by_id on projects (org, id);
create index projects_by_name on projects (org, name) where removed_at is null;

create index role_assignments_by_project on role_assignments (org, project_seq, role_seq, user_seq, group_seq);
