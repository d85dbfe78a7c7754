-- Rate limits that differ from the defaults of a model. project_seq is 0 for the organization and -1 for its default
-- project. A value holds only the fields that were set.
create table rate_limits (
    org         bigint not null,
    project_seq bigint not null,
    model       text   not null,
    value       text   not null, -- JSON
    primary key (org, project_seq, model)
) /* clustered */;
