-- What reports tell tasks apart by, and what became of them. A record of kind fact tells one such thing of a
-- task; it is no span of it. All of it is worked out anew at the next fold.
ALTER TABLE task_sum ADD COLUMN project STRUCT("at" BIGINT, says VARCHAR);
ALTER TABLE task_sum ADD COLUMN user_turns BIGINT;
ALTER TABLE task_sum ADD COLUMN user_hash STRUCT("at" BIGINT, says VARCHAR);
ALTER TABLE task_sum ADD COLUMN task_outcome STRUCT("at" BIGINT, says VARCHAR, reference VARCHAR);
COMMENT ON COLUMN task_sum.project IS 'project of the task.';
COMMENT ON COLUMN task_sum.user_turns IS 'prompts by a person; NULL where nothing says.';
COMMENT ON COLUMN task_sum.user_hash IS 'who prompted, as a keyed hash.';
COMMENT ON COLUMN task_sum.task_outcome IS 'success, failure or abandoned, as was said last, and what it can be looked up by.';
