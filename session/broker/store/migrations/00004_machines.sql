-- Machines that are enrolled for unattended access, and the tokens by which they are.

-- +goose Up
CREATE TABLE enrolments (
    hash     BYTEA  NOT NULL PRIMARY KEY,    -- SHA-256 of the secret; the secret is not here
    org_id   TEXT   NOT NULL REFERENCES organisations (id),
    name     TEXT   NOT NULL DEFAULT '',     -- that the machine will have, empty: any
    tags     TEXT   NOT NULL DEFAULT '',     -- with commas between
    made_by  TEXT   NOT NULL,
    made     BIGINT NOT NULL,
    expires  BIGINT NOT NULL
);
CREATE INDEX enrolments_by_end ON enrolments (expires);

CREATE TABLE machines (
    id          TEXT   NOT NULL PRIMARY KEY,
    org_id      TEXT   NOT NULL REFERENCES organisations (id),
    name        TEXT   NOT NULL,
    skeleton    TEXT   NOT NULL,
    device      BYTEA  NOT NULL UNIQUE,      -- SHA-256 of the SubjectPublicKeyInfo: outer connection and link are made with it
    os          TEXT   NOT NULL DEFAULT '',
    tags        TEXT   NOT NULL DEFAULT '',
    limits      TEXT   NOT NULL DEFAULT '',  -- policy from outside, TOML
    enrolled    BIGINT NOT NULL,
    enrolled_by TEXT   NOT NULL,
    seen        BIGINT NOT NULL DEFAULT 0,
    UNIQUE (org_id, name),
    UNIQUE (org_id, skeleton)
);

-- +goose Down
DROP TABLE machines;
DROP TABLE enrolments;
