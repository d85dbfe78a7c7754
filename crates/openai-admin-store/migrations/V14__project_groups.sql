-- Groups of projects. Their roles in the project are rows in role_assignments.
create table project_groups (
    org         bigint not null,
    project_seq bigint not null,
    group_seq   bigint not null,
    created_at  bigint not null,
    primary key (org, project_seq, group_seq)
) /* clustered */;

create index project_groups_by_group on project_groups (org, group_seq, project_seq, created_at);
