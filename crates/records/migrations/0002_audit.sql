-- Who did what. An id begins with the time, so that the order of ids is that of time; each index ends with it, so that
-- a page of the newest is read without sorting.

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    occurred BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    credential TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    tenant TEXT NOT NULL,
    cluster TEXT NOT NULL,
    verb TEXT NOT NULL,
    api_group TEXT NOT NULL,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    status BIGINT NOT NULL,
    duration BIGINT NOT NULL, -- microseconds
    request TEXT NOT NULL
);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE INDEX audit_by_cluster ON audit (cluster, id);
CREATE INDEX audit_by_name ON audit (name, id);
CREATE INDEX audit_by_resource ON audit (resource, id);
CREATE INDEX audit_by_verb ON audit (verb, id);
-- Most is allowed; what is not, is what people look for.
CREATE INDEX audit_by_decision ON audit (decision, id) WHERE decision <> 'allowed';
