-- What a task emits depends on where its calls ran, so its sums are kept per region. They are worked out
-- anew, from other roll-ups, at the next fold.
ALTER TABLE task_total ADD COLUMN region VARCHAR;
COMMENT ON TABLE task_total IS 'One row per task, region and model: the exact sums that its line in a report and its energy are made of.';
COMMENT ON COLUMN task_total.region IS 'cloud region, where the host tells.';

-- Energy that a meter saw for one span is looked for only where there is some.
ALTER TABLE part ADD COLUMN measured_spans BIGINT;
COMMENT ON COLUMN part.measured_spans IS 'Spans in the file that say what a meter saw for them.';
