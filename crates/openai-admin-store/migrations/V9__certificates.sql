-- Certificates. A deleted one leaves a tombstone without its name and content.
create table certificates (
    org        bigint not null,
    seq        bigint not null,
    id         text   not null,
    name       text,
    content    text   not null, -- PEM
    valid_at   bigint not null,
    expires_at bigint not null,
    created_at bigint not null,
    removed_at bigint,
    primary key (org, seq)
) /* clustered */;

create unique index certificates_by_id on certificates (org, id);
create index certificates_in_use on certificates (org, seq) where removed_at is null;

-- Where certificates are active; project_seq is 0 for the organization. A certificate without a row is inactive.
create table certificate_activations (
    org             bigint not null,
    project_seq     bigint not null,
    certificate_seq bigint not null,
    primary key (org, project_seq, certificate_seq)
) /* clustered */;

create index certificate_activations_by_certificate on certificate_activations (org, certificate_seq, project_seq);
