-- By what a session's provider is asked again, and sign-ins that have come back.

CREATE TABLE vouchers (
    session_id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    refresh_token TEXT NOT NULL, -- sealed by the server; empty if there is none
    checked BIGINT NOT NULL, -- when the provider last answered
    tried BIGINT NOT NULL, -- when it was last asked
    busy_until BIGINT NOT NULL -- somebody is asking it, at most until then
);
CREATE INDEX links_by_provider ON links (provider, username);

CREATE TABLE flows (
    id TEXT NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX flows_by_expiry ON flows (expires);
