//! Accumulators: what a cell keeps of the rows of one tile, and what is computed from it. Knows no time.
