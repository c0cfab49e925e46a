-- Who asks to be let in as a device, and what passkeys leave behind.

ALTER TABLE devices ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN polled BIGINT NOT NULL DEFAULT 0; -- when it last asked
CREATE INDEX devices_by_address ON devices (address, expires);

CREATE TABLE challenges (
    id TEXT NOT NULL PRIMARY KEY, -- the challenge itself
    purpose TEXT NOT NULL,
    username TEXT NOT NULL, -- whose it is; of anybody if empty
    address TEXT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX challenges_by_address ON challenges (address, expires);
CREATE INDEX challenges_by_expiry ON challenges (expires);

CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    counter BIGINT NOT NULL, -- of signatures; 0 if the authenticator counts none
    last_used BIGINT -- none if it was never used
);
CREATE INDEX passkeys_by_user ON passkeys (username);
