-- From here on one form serves every kind of thing. Groups, users and memberships go on writing the columns that they
-- have, since servers of older versions read them.

-- The audit log: an event about anything but a group or a user has that as its subject. Memberships have none, so
-- adding one does not write the index.
alter table audit_events add column subject_kind text;
alter table audit_events add column subject_seq bigint;
alter table audit_events add column project_seq bigint;
create index audit_events_by_subject on audit_events (org, subject_kind, subject_seq) where subject_kind is not null;

-- Kept answers of creations of anything but a group or a user.
alter table idempotency_keys add column created_kind text;
alter table idempotency_keys add column created_seq bigint;
create index idempotency_keys_by_created on idempotency_keys (org, created_kind, created_seq)
    where created_kind is not null;

-- The highest number that was given to a thing of each kind, but for groups and users, whose are in organizations.
create table sequences (
    org  bigint not null,
    kind text   not null,
    last bigint not null,
    primary key (org, kind)
) /* clustered */;

-- Custom roles. Predefined ones are computed and have no row. A deleted role leaves a tombstone without its texts.
create table roles (
    org         bigint not null,
    seq         bigint not null,
    project_seq bigint not null, -- 0: a role of the organization
    id          text   not null,
    name        text   not null,
    description text,
    permissions text   not null, -- JSON
    created_at  bigint not null,
    updated_at  bigint not null,
    removed_at  bigint,
    primary key (org, seq)
) /* clustered */;

create unique index roles_by_id on roles (org, project_seq, id);
create unique index roles_by_name on roles (org, project_seq, name) where removed_at is null;
create index roles_by_project on roles (org, project_seq, seq);

-- Which principal has which role of which resource. Of user_seq and group_seq one is 0; project_seq is 0 for the
-- organization. A predefined role has a negative number.
create table role_assignments (
    org         bigint not null,
    user_seq    bigint not null,
    group_seq   bigint not null,
    project_seq bigint not null,
    role_seq    bigint not null,
    primary key (org, user_seq, group_seq, project_seq, role_seq)
) /* clustered */;

create index role_assignments_by_group on role_assignments (org, group_seq, project_seq, role_seq);
create index role_assignments_by_role on role_assignments (org, role_seq, project_seq, user_seq, group_seq);
