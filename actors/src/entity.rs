//! The virtual actor: one page per view and ladder, turns, reads, the canonical encoding. Knows no other entity.
