-- Admin API keys are listed in the order of their creation, each with the oldest owner of the organization.
create index api_keys_of_organization on api_keys (org, created_at, id)
    where project_seq is null and revoked_at is null;
