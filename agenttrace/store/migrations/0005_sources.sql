-- What is read from the logs of coding agents and received from elsewhere says which branch a task works in.
-- What the meter passed on is placed by others.
-- All of it is worked out anew at the next fold.
ALTER TABLE task_sum ADD COLUMN branch STRUCT("at" BIGINT, says VARCHAR);
COMMENT ON COLUMN task_sum.branch IS 'branch of the repository that the task works in.';
COMMENT ON COLUMN part.placed_spans IS 'Those of them of which other spans tell: not seen at the wire where they were made.';
COMMENT ON COLUMN task_sum.placed_spans IS 'those of them of which other spans tell: not seen at the wire where they were made.';
