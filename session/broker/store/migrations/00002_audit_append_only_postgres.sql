-- PostgreSQL's way to say that events are only added, besides a role that has INSERT and SELECT only.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION audit_events_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are never changed or deleted'; END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_events_stay();

-- +goose Down
DROP TRIGGER audit_events_stay ON audit_events;
DROP FUNCTION audit_events_stay();
