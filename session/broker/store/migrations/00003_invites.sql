-- Invitations: further codes of a session, each for one more agent.

-- +goose Up
CREATE TABLE invites (
    code       BYTEA    NOT NULL PRIMARY KEY,       -- HMAC of the code
    session_id BYTEA    NOT NULL REFERENCES sessions (id),
    sealed     BYTEA    NOT NULL,                   -- the code under the relay's key, so that it can be listed
    made_by    TEXT     NOT NULL,                   -- NAME@ORG
    made_for   TEXT     NOT NULL DEFAULT '',        -- NAME@ORG or ORG; empty: whoever has it
    view_only  SMALLINT NOT NULL DEFAULT 0,
    made       BIGINT   NOT NULL,
    expires    BIGINT   NOT NULL,
    revoked    BIGINT   NOT NULL DEFAULT 0
);
CREATE INDEX invites_by_session ON invites (session_id);
ALTER TABLE joins ADD COLUMN view_only SMALLINT NOT NULL DEFAULT 0; -- the badges of this agent allow seeing and talking only

-- +goose Down
ALTER TABLE joins DROP COLUMN view_only;
DROP TABLE invites;
