-- What workloads.toml in the folder of the data says, for the query task_workload.
CREATE OR REPLACE TABLE workload_setting (scope VARCHAR, name VARCHAR, workload VARCHAR);
COMMENT ON TABLE workload_setting IS 'One row per project or service whose workload workloads.toml says.';
COMMENT ON COLUMN workload_setting.scope IS 'project or service.';
COMMENT ON COLUMN workload_setting.name IS 'Name of the project, or service.name.';
COMMENT ON COLUMN workload_setting.workload IS 'agentic or user-facing.';
