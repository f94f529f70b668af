//! Entities of several ranges: index, slabs, application of rows, digests. Knows no sender.
