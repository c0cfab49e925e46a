-- Who is signed in, with what, and what slows down guessing. Times are microseconds since 1970; digests are hexadecimal.

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    csrf TEXT NOT NULL,
    username TEXT NOT NULL,
    provider TEXT NOT NULL,
    group_names TEXT NOT NULL, -- a JSON list
    created BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (username, created);
CREATE INDEX sessions_by_expiry ON sessions (expires);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    username TEXT NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL, -- JSON that the server alone understands
    created BIGINT NOT NULL,
    expires BIGINT, -- never, if there is none
    last_used BIGINT,
    last_address TEXT
);
CREATE INDEX api_keys_by_user ON api_keys (username, created);
CREATE INDEX api_keys_by_expiry ON api_keys (expires);

CREATE TABLE attempts (
    about TEXT NOT NULL PRIMARY KEY, -- such as name:olga
    failures BIGINT NOT NULL,
    last BIGINT NOT NULL
);
CREATE INDEX attempts_by_last ON attempts (last);

CREATE TABLE codes (
    username TEXT NOT NULL PRIMARY KEY,
    step BIGINT NOT NULL -- the last one that was accepted
);

CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    user_code TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    state TEXT NOT NULL, -- pending, approved, denied
    username TEXT NOT NULL,
    provider TEXT NOT NULL,
    group_names TEXT NOT NULL -- a JSON list
);
CREATE INDEX devices_by_expiry ON devices (expires);

CREATE TABLE links (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    username TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_sign_in BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX links_by_user ON links (username);
