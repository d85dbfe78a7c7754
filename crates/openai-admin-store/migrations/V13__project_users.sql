-- Users of projects. Their role in the project is a row in role_assignments with a negative role_seq: exactly one each.
create table project_users (
    org         bigint not null,
    project_seq bigint not null, -- -1: the default project
    user_seq    bigint not null,
    added_at    bigint not null,
    primary key (org, project_seq, user_seq)
) /* clustered */;

create index project_users_by_user on project_users (org, user_seq, project_seq, added_at);
