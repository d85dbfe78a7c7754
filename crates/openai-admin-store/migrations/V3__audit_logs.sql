-- The audit log is read in the order of the transactions, which `place` is the first part of. Events that were there
-- before have the first place, where their change, a ULID, orders them by time.
--
-- /* transaction */ becomes a default on PostgreSQL, the number of the transaction, which a server of an older version
-- that still writes leaves to the database. SQLite reads it as the comment it is: there the number is counted on.

alter table audit_events rename to audit_events_before;

create table audit_events (
    org         bigint not null,
    place       bigint not null /* transaction */,
    change      text   not null,
    item        bigint not null,
    recorded_at bigint not null,
    actor       text   not null,
    event       text   not null, -- the published name, or one of ours
    group_seq   bigint,
    user_seq    bigint,
    detail      text, -- the id of anything that is neither a group nor a user
    payload     text, -- JSON: what it was created with, or what was asked to change; nothing that tells who a person is
    primary key (org, place, change, item)
) /* clustered */;

insert into audit_events (org, place, change, item, recorded_at, actor, event, group_seq, user_seq, detail)
select org, 0, change, item, recorded_at, actor,
       case event when 'api_key.revoked' then 'api_key.deleted' else event end, group_seq, user_seq, detail
from audit_events_before;

drop table audit_events_before;
