-- Settings: values that the organization and each project have at most one of. project_seq is 0 for the organization and
-- -1 for its default project. A value is the text of the last event that set it.
create table settings (
    org         bigint not null,
    project_seq bigint not null,
    setting     text   not null,
    value       text   not null, -- JSON
    primary key (org, project_seq, setting)
) /* clustered */;
