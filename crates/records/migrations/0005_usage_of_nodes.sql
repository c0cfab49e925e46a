-- What tenants' nodes have.

ALTER TABLE usage_by_day ADD COLUMN node_cpu_millicore_seconds BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_by_day ADD COLUMN node_memory_mebibyte_seconds BIGINT NOT NULL DEFAULT 0;
