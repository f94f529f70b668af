//! Planted bugs: known-wrong variants of single rules, which tests and the simulator must catch.
//!
//! Without the cargo feature `plants` every check is the constant `false`. Knows nothing of what a plant breaks:
//! the line that asks does.

macro_rules! plants {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// One rule that can be switched off.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Plant { $($(#[$doc])* $name,)* }

        impl Plant {
            /// Every plant, in the order of the protocols.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

plants! {
    /// A generation restarts with the receiver.
    A1GenerationRestarts => "a1_generation_restarts",
    /// A reader tags intervals it decoded before `included_from`.
    A2IncludedFrom => "a2_included_from",
    /// A frame of an old generation moves the shared frontier.
    A3OldGeneration => "a3_old_generation",
    /// A replay frame with one range's rows carries the shared generation.
    A4ReplayShared => "a4_replay_shared",
    /// A restarted reader starts from an offset alone, with no prefix max.
    A5NoPrefixMax => "a5_no_prefix_max",
    /// The reader consults placement instead of the subscription's set.
    A6StaleMap => "a6_stale_map",
    /// "Or 2 s pass" ends the hold without a decision.
    B1HoldTimesOut => "b1_hold_times_out",
    /// The largest offset is reported instead of the next.
    B2ReportsLargest => "b2_reports_largest",
    /// A zombie's frame with the old index past A is applied.
    B3ZombieIndex => "b3_zombie_index",
    /// A joiner does not look at the prepared entry.
    B4JoinerIgnores => "b4_joiner_ignores",
    /// The manifests of dead owners are not read.
    B5DeadOwnerAhead => "b5_dead_owner_ahead",
    /// A partition discovered after the report is not held at 0.
    B6NewPartition => "b6_new_partition",
    /// A fenced node folds on and is leased again without restoring.
    B7NoRestore => "b7_no_restore",
    /// Only the coordinator may abort.
    B8OnlyCoordinatorAborts => "b8_only_coordinator_aborts",
    /// A forgets the previous activation.
    B9WithoutPrevious => "b9_without_previous",
    /// An unknown release that reads back as the old nonce is taken as not done.
    C1UnknownRelease => "c1_unknown_release",
    /// A commit whose outcome is not known takes its part for garbage.
    C2PartsDeleted => "c2_parts_deleted",
    /// The first delta after a promotion holds only pages that changed since.
    C3DirtySincePromotion => "c3_dirty_since_promotion",
    /// A commit may lower `v`.
    C7VRegresses => "c7_v_regresses",
    /// Holder and successor both count 3 s.
    C8EqualClocks => "c8_equal_clocks",
    /// A restarted node renews the lease of its old process.
    C9OldIncarnation => "c9_old_incarnation",
    /// 412 is taken as retry.
    LostTakenAsRetry => "lost_taken_as_retry",
    /// Duplicates are recognised by the largest offset seen.
    MaxOffsetDedup => "max_offset_dedup",
    /// An event id is forgotten once its partition has passed the event, not the allowed lateness after it.
    IdKeptTooShort => "id_kept_too_short",
    /// Which ids are too many offsets back is decided where a frame ends, not at each record.
    IdKeptByArrival => "id_kept_by_arrival",
    /// The tail edge of a window is one hop off.
    TailOffByOne => "tail_off_by_one",
    /// The tail edge of an exact window is rounded as that of any other.
    ExactNotCut => "exact_not_cut",
    /// T follows the wall clock instead of the events.
    TFromWallClock => "t_from_wall_clock",
    /// A late record moves the prefix max.
    LateMovesPrefix => "late_moves_prefix",
    /// A snapshot is taken at a torn `v`.
    TornSnapshot => "torn_snapshot",
    /// A tile is folded with the wrong hop.
    FoldWrongHop => "fold_wrong_hop",
    /// The head of a window includes its own instant.
    HeadInclusive => "head_inclusive",
    /// The event that triggers a read is in what leaves it out.
    CurrentIncluded => "current_included",
    /// Raw rows leave for tiles in arrival order instead of total order.
    RawByArrival => "raw_by_arrival",
    /// A number is rounded half up instead of half even.
    RoundHalfUp => "round_half_up",
    /// A null part of a conjunction or disjunction decides it, whatever the others are.
    NullDecides => "null_decides",
    /// A quotient loses the digits that it has no room for, instead of being rounded.
    QuotientTruncated => "quotient_truncated",
    /// A product that is too large is what is left of it, and no number out of range.
    ProductWraps => "product_wraps",
    /// The hour of a place is the hour of UTC.
    ZoneForgotten => "zone_forgotten",
    /// Of rows of one instant a list keeps those that came first instead of those that are first.
    ListsByArrival => "lists_by_arrival",
    /// What a tile could not count one by one is forgotten when it joins another.
    OtherForgotten => "other_forgotten",
    /// A training set sees an event that became visible a moment after it was asked for.
    TrainingSeesLater => "training_sees_later",
    /// A successor claims before the lease has run out.
    ClaimWithoutWaiting => "claim_without_waiting",
    /// No rule: a shard of a real node takes no rows for some seconds, and everybody must bear it.
    StalledShard => "stalled_shard",
}

impl Plant {
    /// Whether it breaks a rule, so that somebody must notice; the others are only hard to bear.
    #[must_use]
    pub fn breaks_a_rule(self) -> bool {
        self != Self::StalledShard
    }
}

/// Whether `plant` is switched on; always false without the cargo feature.
#[inline]
#[must_use]
pub fn on(plant: Plant) -> bool {
    imp::on(plant)
}

#[cfg(feature = "plants")]
pub use imp::choose;

#[cfg(feature = "plants")]
mod imp {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Plant;

    static CHOSEN: AtomicU32 = AtomicU32::new(u32::MAX);

    pub(super) fn on(plant: Plant) -> bool {
        CHOSEN.load(Ordering::Relaxed) == plant as u32
    }

    /// Switches one plant on for the whole process, or all off.
    pub fn choose(plant: Option<Plant>) {
        CHOSEN.store(plant.map_or(u32::MAX, |plant| plant as u32), Ordering::Relaxed);
    }
}

#[cfg(not(feature = "plants"))]
mod imp {
    pub(super) const fn on(_: super::Plant) -> bool {
        false
    }
}
