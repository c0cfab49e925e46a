-- What tenants use.

CREATE TABLE usage_by_day (
    day TEXT NOT NULL, -- as 2026-11-29, UTC
    tenant TEXT NOT NULL,
    cluster TEXT NOT NULL,
    control_plane_seconds BIGINT NOT NULL,
    replica_seconds BIGINT NOT NULL,
    cpu_millicore_seconds BIGINT NOT NULL,
    memory_mebibyte_seconds BIGINT NOT NULL,
    node_seconds BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (day, tenant, cluster)
);
CREATE INDEX usage_by_tenant ON usage_by_day (tenant, day);

-- What was counted already, so that nothing is counted twice.
CREATE TABLE usage_intervals (
    interval_key TEXT NOT NULL PRIMARY KEY,
    reported BIGINT NOT NULL
);
CREATE INDEX usage_intervals_by_time ON usage_intervals (reported);
