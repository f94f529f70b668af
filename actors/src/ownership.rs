//! Protocol C: lease, claim, planned move, takeover, the four outcomes of a conditional write. Knows no store client.
