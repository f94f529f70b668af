//! From payload bytes to rows: decode, lateness, accounting, projection. Knows no log client and no placement.
