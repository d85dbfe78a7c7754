-- Usage: sums by time and by what it belongs to.

-- What usage of a series belongs to: its values of the series' dimensions, as a JSON array of texts and nulls.
create table usage_dimensions (
    org        bigint not null,
    series     bigint not null,
    seq        bigint not null,
    dimensions text   not null,
    primary key (org, series, seq)
) /* clustered */;

create unique index usage_dimensions_by_value on usage_dimensions (org, series, dimensions);

-- Sums of a minute, an hour and a day, by their width in seconds. The series says which sum is which.
create table usage_sums (
    org           bigint not null,
    series        bigint not null,
    width         bigint not null,
    begins_at     bigint not null,
    dimension_seq bigint not null,
    sum_0  bigint not null, sum_1  bigint not null, sum_2  bigint not null, sum_3  bigint not null,
    sum_4  bigint not null, sum_5  bigint not null, sum_6  bigint not null, sum_7  bigint not null,
    sum_8  bigint not null, sum_9  bigint not null, sum_10 bigint not null, sum_11 bigint not null,
    sum_12 bigint not null, sum_13 bigint not null, sum_14 bigint not null, sum_15 bigint not null,
    primary key (org, series, width, begins_at, dimension_seq)
) /* clustered */;

-- What was counted, so that it is not counted again.
create table usage_batches (
    org         bigint not null,
    id          text   not null,
    records     bigint not null,
    recorded_at bigint not null,
    primary key (org, id)
) /* clustered */;
