//! One measure over some rows, in the widest integers. Knows neither its place in memory nor its bytes.

use ethnum::{I256, U256};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use super::squares::Squares;

/// What a column keeps of a multiset of rows; what it does not keep is as for no rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accumulator {
    /// Rows with a finite number; all rows where the measure has no value.
    pub n: u64,
    /// Rows whose number is none of the domain.
    pub bad: u64,
    /// Exact sum of the unscaled numbers.
    pub sum: i128,
    /// Exact sum of their squares.
    pub squares: Squares,
    /// The smallest; [`i64::MAX`] while `n` is 0.
    pub min: i64,
    /// The largest; [`i64::MIN`] while `n` is 0.
    pub max: i64,
    /// Time of the first row counted in `n`; [`Timestamp::MAX`] while `n` is 0.
    pub first: Timestamp,
    /// Time of the last row counted in `n`; [`Timestamp::MIN`] while `n` is 0.
    pub last: Timestamp,
    /// The first row in the total order.
    pub first_row: Option<Placed>,
    /// The last row in the total order.
    pub last_row: Option<Placed>,
    /// The sum of the weights of rows within their half-life.
    pub weights: I256,
    /// The sum of the numbers, each times that weight.
    pub weighted: I256,
    /// The sum of their squares, each times that weight.
    pub weighted_squares: U256,
}

/// A number and the place of its row in the total order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// Its event time.
    pub ts: Timestamp,
    /// Its place in the source.
    pub position: Position,
    /// The number.
    pub number: i64,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self {
            n: 0,
            bad: 0,
            sum: 0,
            squares: Squares::default(),
            min: i64::MAX,
            max: i64::MIN,
            first: Timestamp::MAX,
            last: Timestamp::MIN,
            first_row: None,
            last_row: None,
            weights: I256::ZERO,
            weighted: I256::ZERO,
            weighted_squares: U256::ZERO,
        }
    }
}
