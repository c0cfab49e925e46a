-- A program that a person lets in stands and falls with the same voucher as the person's own session.

ALTER TABLE vouchers RENAME COLUMN session_id TO id;
ALTER TABLE sessions ADD COLUMN voucher TEXT NOT NULL DEFAULT ''; -- empty where no provider is asked again
UPDATE sessions SET voucher = id WHERE EXISTS (SELECT 1 FROM vouchers WHERE vouchers.id = sessions.id);
CREATE INDEX sessions_by_voucher ON sessions (voucher);
ALTER TABLE devices ADD COLUMN voucher TEXT NOT NULL DEFAULT '';
