//! Definitions as people write them: YAML to a checked [`crate::plan::Plan`], every mistake with line and column.
