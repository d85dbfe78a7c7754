-- Spend alerts. project_seq is 0 for the organization and -1 for its default project. A deleted alert leaves a tombstone
-- without its recipients.
create table spend_alerts (
    org              bigint not null,
    seq              bigint not null,
    id               text   not null,
    project_seq      bigint not null,
    threshold_amount bigint not null, -- cents
    currency         text   not null,
    period           text   not null,
    recipients       text   not null, -- JSON
    subject_prefix   text,
    created_at       bigint not null,
    removed_at       bigint,
    primary key (org, seq)
) /* clustered */;

create unique index spend_alerts_by_id on spend_alerts (org, id);
create index spend_alerts_in_use on spend_alerts (org, project_seq, seq) where removed_at is null;
