-- store.duckdb: what has been folded. The spans themselves are Parquet files in lake/spans.
CREATE TABLE meta (
    key VARCHAR,
    value VARCHAR
);
COMMENT ON TABLE meta IS 'One row per fact about this file.';
COMMENT ON COLUMN meta.key IS 'schema_version, or written_by (version of agenttrace).';
COMMENT ON COLUMN meta.value IS 'The fact, as text.';

CREATE TABLE part (
    file VARCHAR,
    rows BIGINT,
    min_start_ns BIGINT,
    max_start_ns BIGINT,
    retired_at TIMESTAMP
);
COMMENT ON TABLE part IS 'One row per Parquet file of spans; a file that is not listed here does not exist.';
COMMENT ON COLUMN part.file IS 'Name in lake/spans.';
COMMENT ON COLUMN part.retired_at IS 'When its spans moved to another file, UTC; NULL while it is read.';
COMMENT ON COLUMN part.rows IS 'Spans in the file.';
COMMENT ON COLUMN part.min_start_ns IS 'Start of its earliest span, nanoseconds since 1970-01-01 UTC.';
COMMENT ON COLUMN part.max_start_ns IS 'Start of its latest span, nanoseconds since 1970-01-01 UTC.';

CREATE TABLE segment (
    name VARCHAR,
    byte_offset BIGINT,
    finished BOOLEAN,
    service_name VARCHAR,
    host VARCHAR,
    pid BIGINT,
    version VARCHAR,
    started_ns BIGINT
);
COMMENT ON TABLE segment IS 'One row per spool segment that still exists, or did at the last fold.';
COMMENT ON COLUMN segment.name IS 'Name in spool, without the suffix.';
COMMENT ON COLUMN segment.byte_offset IS 'Bytes that have been folded.';
COMMENT ON COLUMN segment.finished IS 'Nothing more will come: the file is about to be removed.';
COMMENT ON COLUMN segment.service_name IS 'service.name of the process that wrote it.';
COMMENT ON COLUMN segment.host IS 'Machine of that process.';
COMMENT ON COLUMN segment.pid IS 'Id of that process.';
COMMENT ON COLUMN segment.version IS 'Version of agenttrace that wrote it.';
COMMENT ON COLUMN segment.started_ns IS 'When it was begun, nanoseconds since 1970-01-01 UTC.';

CREATE TABLE quarantine (
    segment VARCHAR,
    byte_offset BIGINT,
    bytes BIGINT,
    reason VARCHAR,
    refused_at TIMESTAMP
);
COMMENT ON TABLE quarantine IS 'One row per record that was refused, whole or in part.';
COMMENT ON COLUMN quarantine.segment IS 'Segment of the record, without the suffix.';
COMMENT ON COLUMN quarantine.byte_offset IS 'Where the record began in the segment.';
COMMENT ON COLUMN quarantine.bytes IS 'Length of the record.';
COMMENT ON COLUMN quarantine.reason IS 'Why: not JSON, no trace id, ...; token count: only that was refused.';
COMMENT ON COLUMN quarantine.refused_at IS 'When it was refused, UTC.';
