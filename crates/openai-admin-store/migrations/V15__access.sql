-- Users by their access: the owners of an organization, and the service accounts of a project, in the order of the users.
create index users_by_owner on users (org, seq) where role = 'owner' and removed_at is null;
create index service_accounts_by_project_user on service_accounts (org, project_seq, user_seq)
    where removed_at is null;
