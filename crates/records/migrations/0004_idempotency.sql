-- Answers to requests that may come again.

CREATE TABLE idempotency (
    username TEXT NOT NULL,
    request_key TEXT NOT NULL,
    digest TEXT NOT NULL, -- of the request
    status BIGINT, -- none while the request is worked on
    body TEXT,
    expires BIGINT NOT NULL,
    PRIMARY KEY (username, request_key)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires);
