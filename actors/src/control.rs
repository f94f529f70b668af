//! Protocol B: the control log and its activation barrier. Knows no store client.
