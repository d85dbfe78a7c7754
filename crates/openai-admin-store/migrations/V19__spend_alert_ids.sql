-- An id of a spend alert is unique within its project, like an id of a role. The organization's alerts have project_seq 0.
drop index spend_alerts_by_id;
create unique index spend_alerts_by_id on spend_alerts (org, project_seq, id);
