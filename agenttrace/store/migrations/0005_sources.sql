-- What is read from the logs of coding agents and received from elsewhere says which branch a task works in.
-- All of it is worked out anew at the next fold.
ALTER TABLE task_sum ADD COLUMN branch STRUCT("at" BIGINT, says VARCHAR);
COMMENT ON COLUMN task_sum.branch IS 'branch of the repository that the task works in.';
