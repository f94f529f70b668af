//! Definitions resolved into what readers and entities execute: fields by slot, measures by index,
//! windows by ladder level. Knows no YAML and no file: `definition` makes it, everything else runs it.
//!
//! Planning is a function of the control log alone: `compile(definitions n, plan n - 1)`. A measure
//! that already stood in plan n - 1 keeps its column; a new one is kept from the activation of n
//! (`since`). Windows that the ladders of n - 1 cannot answer get a ladder of their own, so that
//! adding a feature never changes another and no state depends on when a node switched.

mod calendar;
mod derived;
mod largest;
mod operator;
mod session;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, Unit, Zone};
pub use derived::{Derived, Given, RequestValue};
pub use largest::{LargestEntity, LargestPage};
pub use operator::{Answers, Argument, Baseline, Description, Keeps, Operator, Percent, SECONDS, Sigmas, Spread};
pub use session::Session;

use crate::expression::{Expression, Type};
use crate::ids::{ColumnId, ControlIndex, SourceId, ViewId};
use crate::limits;
use crate::number::Domain;
use crate::time::{Span, Timestamp};

/// Index of a field in [`SourcePlan::fields`].
pub type Slot = usize;

/// What one control index means: the whole of a project's executable definitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The control entry that brought it; 0 is genesis.
    pub index: ControlIndex,
    /// Namespace.
    pub project: String,
    /// By id: the source of index i is [`SourceId`] i. Those of the plan before stay where they were.
    pub sources: Vec<SourcePlan>,
    /// In order of name.
    pub views: Vec<ViewPlan>,
    /// Named ordered lists of features.
    pub services: Vec<ServicePlan>,
}

impl Plan {
    /// The view of this name.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<&ViewPlan> {
        self.view_index(name).map(|index| &self.views[index])
    }

    /// The index into [`Plan::views`] of the view of this name.
    #[must_use]
    pub fn view_index(&self, name: &str) -> Option<usize> {
        self.views.binary_search_by(|view| view.name.as_str().cmp(name)).ok()
    }

    /// Where a view's records come from.
    ///
    /// # Panics
    /// If the view is not one of this plan's.
    #[must_use]
    pub fn source_of(&self, view: &ViewPlan) -> &SourcePlan {
        &self.sources[usize::from(view.source.0)]
    }

    /// The largest entity of a view.
    ///
    /// # Panics
    /// If the view is not one of this plan's.
    #[must_use]
    pub fn largest_entity(&self, view: &ViewPlan) -> LargestEntity {
        LargestEntity::new(&view.ladders, &view.measures, self.source_of(view).slack)
    }

    /// The source of this id.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&SourcePlan> {
        self.sources.get(usize::from(id.0))
    }

    /// The source of this name.
    #[must_use]
    pub fn source_id(&self, name: &str) -> Option<SourceId> {
        // The compiler bounds the sources.
        self.sources.iter().position(|source| source.name == name).map(|at| SourceId(at as u16))
    }

    /// The names of the sources, for people.
    #[must_use]
    pub fn source_names(&self) -> String {
        self.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The names of the results of some views (indices into the plan), view by view: the view's stands before a name that
    /// several of them have.
    ///
    /// # Panics
    /// If the plan has no such view.
    #[must_use]
    pub fn result_names(&self, views: &[usize]) -> Vec<Vec<String>> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for result in views.iter().flat_map(|view| self.views[*view].results()) {
            *times.entry(result).or_default() += 1;
        }
        let name = |view: &ViewPlan, result: &str| match times.get(result) {
            Some(2..) => format!("{}__{result}", view.name),
            _ => result.to_owned(),
        };
        let of_view = |view: &ViewPlan| view.results().map(|result| name(view, result)).collect();
        views.iter().map(|view| of_view(&self.views[*view])).collect()
    }

    /// The feature service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&ServicePlan> {
        self.services.iter().find(|service| service.name == name)
    }
}

/// Where records come from and how they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePlan {
    /// Its name in the definitions.
    pub name: String,
    /// Kafka topic.
    pub topic: String,
    /// Every declared field with a path; computed ones are part of what uses them.
    pub fields: Vec<FieldPlan>,
    /// Path of the event timestamp: RFC 3339 text, or whole milliseconds since 1970 as a number.
    pub event_timestamp: Vec<String>,
    /// Path of the event id: of records with the same id on one partition the first counts.
    pub event_id: Option<Vec<String>>,
    /// How far an event may be behind what the clock says.
    pub allowed_lateness: Span,
    /// What an event is late by.
    pub lateness_clock: LatenessClock,
    /// How far an event may be ahead of its record's log timestamp.
    pub max_skew: Span,
    /// How far behind T a read may ask: max(allowed_lateness, max_skew) unless larger is declared.
    pub slack: Span,
    /// What becomes of late records.
    pub late_policy: LatePolicy,
}

/// What an event must not be too far behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LatenessClock {
    /// The largest event time of its partition's prefix.
    #[default]
    EventTime,
    /// The append time of its own record, where the log dates its records itself.
    AppendTime,
}

impl LatenessClock {
    /// Every clock.
    pub const ALL: [Self; 2] = [Self::EventTime, Self::AppendTime];

    /// The name in definitions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EventTime => "event_time",
            Self::AppendTime => "append_time",
        }
    }
}

/// What becomes of late records, which are counted in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LatePolicy {
    /// Kept beside the records that could not be taken: somebody should look.
    #[default]
    DeadLetter,
    /// Kept, as an expected part of the stream.
    SideOutput,
    /// Not kept; the log still has them.
    Drop,
}

impl LatePolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::DeadLetter, Self::SideOutput, Self::Drop];

    /// The name in definitions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeadLetter => "dead_letter",
            Self::SideOutput => "side_output",
            Self::Drop => "drop",
        }
    }
}

impl SourcePlan {
    /// How far its partition's prefix max may pass an event until its id is forgotten: by then no copy is in time. A prefix
    /// max is at most `max_skew` ahead of the append time it came with.
    #[must_use]
    pub fn ids_known_for(&self) -> Span {
        match self.lateness_clock {
            LatenessClock::EventTime => self.allowed_lateness,
            LatenessClock::AppendTime => self.allowed_lateness + self.max_skew,
        }
    }

    /// How far behind T rows stay raw: never further than a read may look.
    #[must_use]
    pub fn slack_exact(&self) -> Span {
        limits::SLACK_EXACT.min(self.slack)
    }
}

/// One declared field of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldPlan {
    /// Name used in views.
    pub name: String,
    /// Path in the payload, outermost first.
    pub path: Vec<String>,
    /// Declared type; undeclared fields are text, and decimal(6) where used as a number.
    pub kind: Option<FieldKind>,
}

/// Declared type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A number of a domain.
    Number(Domain),
    /// RFC 3339 text, or whole milliseconds since 1970.
    Timestamp,
}

/// Ordered features of one model version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePlan {
    /// Its name.
    pub name: String,
    /// In order of definition; no two have one name.
    pub results: Vec<ServiceResult>,
}

/// One feature of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceResult {
    /// Index into [`Plan::views`].
    pub view: usize,
    /// Index among [`ViewPlan::results`].
    pub result: usize,
}

/// A feature view: what one actor holds for one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewPlan {
    /// Stable across plans.
    pub id: ViewId,
    /// Its name.
    pub name: String,
    /// The entity's name.
    pub entity: String,
    /// Where its records come from.
    pub source: SourceId,
    /// Join keys in the entity's order, by name.
    pub keys: Vec<(String, Key)>,
    /// The view's filter.
    pub filter: Option<Expression>,
    /// Values whose newest event is further back say so.
    pub max_age: Option<Span>,
    /// Shared by features; index 0 is always the view's rows (no filter, no value).
    pub measures: Vec<Measure>,
    /// Never empty; a view whose windows were extended after activation has several.
    pub ladders: Vec<LadderPlan>,
    /// In order of definition.
    pub features: Vec<Feature>,
    /// In order of definition, but each after those it uses.
    pub derived: Vec<Derived>,
    /// What a read may send for each entity, in order of definition.
    pub request: Vec<RequestValue>,
}

impl ViewPlan {
    /// The names of its results in the order of a reading: features, then what is derived from them.
    pub fn results(&self) -> impl Iterator<Item = &str> {
        let features = self.features.iter().map(|feature| feature.name.as_str());
        features.chain(self.derived.iter().map(|derived| derived.name.as_str()))
    }

    /// The index among [`ViewPlan::results`] of the result of this name.
    #[must_use]
    pub fn result_index(&self, name: &str) -> Option<usize> {
        self.results().position(|result| result == name)
    }
}

/// (filter, value, domain, rank): what a row contributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Hash of the canonical definition, the view's filter included.
    pub id: ColumnId,
    /// The feature's own filter.
    pub filter: Option<Expression>,
    /// What is accumulated; `None` where rows are only counted.
    pub value: Option<(Expression, Items)>,
    /// A number by which rows are compared. Then it is the word of a row, and the value stands beside it as a text: itself,
    /// or the digits of its own word.
    pub rank: Option<Expression>,
}

impl Measure {
    /// Whether a text stands beside the number of a row.
    #[must_use]
    pub fn has_text(&self) -> bool {
        self.rank.is_some() || self.items() == Items::Texts
    }

    /// What its values are; whole numbers where rows are only counted.
    #[must_use]
    pub fn items(&self) -> Items {
        self.value.as_ref().map_or(Items::Numbers(Domain::Int), |(_, items)| *items)
    }
}

/// What the values of a measure are. In rows and cells each is a word: an unscaled number, 0 or 1, or the hash of a text,
/// beside which the text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Items {
    /// Numbers of a domain.
    Numbers(Domain),
    /// True or false.
    Truths,
    /// Texts of at most [`limits::TEXT_BYTES_MAX`] bytes.
    Texts,
}

impl Items {
    /// Where their words live as numbers.
    #[must_use]
    pub fn domain(self) -> Domain {
        match self {
            Self::Numbers(domain) => domain,
            Self::Truths | Self::Texts => Domain::Int,
        }
    }
}

impl From<Items> for Type {
    fn from(items: Items) -> Self {
        match items {
            Items::Numbers(domain) => domain.into(),
            Items::Truths => Self::Bool,
            Items::Texts => Self::Text,
        }
    }
}

/// One part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// A field's text, or its number letter by letter as written.
    Field(Slot),
    /// What an expression answers: a text, or a whole number.
    Computed(Expression),
}

/// One tile ladder: the levels its windows need, finest first, and the columns it keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderPlan {
    /// Finest first; level 0 has a hop that divides [`limits::INSTANT_STEP`]; each hop divides the next; no span is shorter
    /// than the one before.
    pub levels: Vec<Level>,
    /// Whether lifetime features read it: then what leaves level 0 is also kept for ever in the header.
    pub lifetime: bool,
    /// Whether its windows are cut at the very tick: then a tile keeps its rows beside what is made of them, up to
    /// [`limits::EXACT_ROWS_MAX`].
    pub exact: bool,
    /// Column 0 is always measure 0, the view's rows. One measure has several columns where a later feature asked for
    /// accumulators that the earlier one does not keep.
    pub columns: Vec<Column>,
}

impl LadderPlan {
    /// What it looks back on at the furthest, as (span, hop); `None` where only lifetime is kept.
    #[must_use]
    pub fn longest(&self) -> Option<Level> {
        self.levels.last().copied().filter(|level| level.span > Span(0) || !self.lifetime)
    }

    /// Whether its levels hold every row of a window, apart from others. What keeps rows is for windows that need them.
    #[must_use]
    pub fn answers(&self, window: Window, shift: Shift) -> bool {
        match window.tail() {
            _ if window.is_exact() != self.exact => false,
            Some(Level { hop, span }) => self.levels.iter().any(|level| level.answers(shift.reach(span), hop)),
            None => self.lifetime,
        }
    }

    /// The most tiles an entity can have in it, level by level.
    pub fn tiles_max(&self, slack: Span) -> impl Iterator<Item = i64> {
        // What lies in a level, and a tile at each end that is only partly in it.
        let slack = slack + limits::INSTANT_STEP;
        let mut finer = Span(-slack.0);
        self.levels.iter().map(move |level| {
            let held = level.span.0.saturating_sub(finer.0);
            finer = level.span;
            (held / level.hop.0).saturating_add(2)
        })
    }
}

/// One resolution of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Length of its tiles.
    pub hop: Span,
    /// The longest window served at this hop; 0 for a level that only covers the slack, and what is left of one tile.
    pub span: Span,
}

impl Level {
    /// Whether a window with this tail can be told from its tiles and the finer ones: a coarser tail edge lies up to the
    /// difference of the hops further back.
    #[must_use]
    pub fn answers(self, window: Span, hop: Span) -> bool {
        hop.0 % self.hop.0 == 0 && self.span.0 >= window.0.saturating_add(hop.0 - self.hop.0)
    }

    /// Tiles that start before this instant have left the level when T is `t_max`: no answerable read
    /// needs them this fine. The slack is widened to a whole [`limits::INSTANT_STEP`], so that a
    /// blurred instant, rounded down by up to one step, is still answered.
    #[must_use]
    pub fn boundary(self, t_max: Timestamp, slack: Span) -> Timestamp {
        ((t_max - slack).floor(limits::INSTANT_STEP) - self.span).floor(self.hop)
    }
}

/// A measure kept in a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Index into [`ViewPlan::measures`].
    pub measure: usize,
    /// Which accumulators, beside how many rows there are.
    pub keeps: Keeps,
    /// The control index whose activation began it: only rows from there on count.
    pub since: ControlIndex,
}

/// One named result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// `name_window` (`spend_5m`, `spend_lifetime`), or `name` alone where the definition says `window:`.
    pub name: String,
    /// What is computed.
    pub operator: Operator,
    /// Index into [`ViewPlan::ladders`].
    pub ladder: usize,
    /// Index into that ladder's columns.
    pub column: usize,
    /// Over what.
    pub window: Window,
    /// How far before the instant of a read.
    pub shift: Shift,
    /// What stands in where there is no value: of the type of the results; a mean takes it with the digits written.
    pub default: Option<Constant>,
}

/// A value written in definitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constant {
    /// A number, exactly: unscaled x 10^-scale.
    Number {
        /// value x 10^scale
        unscaled: i64,
        /// Where the digits stand.
        domain: Domain,
    },
    /// True or false.
    Truth(bool),
    /// Text.
    Text(String),
}

/// Which rows, seen from an instant `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// `floor_hop(t - span) <= ts < t`
    Rolling {
        /// How far back.
        span: Span,
        /// How coarsely the tail edge is rounded.
        hop: Span,
    },
    /// `t - span <= ts < t`, where that can be told: where the piece of time that `t - span` lies in, from one multiple of
    /// `hop` to the next, has at most [`limits::EXACT_ROWS_MAX`] rows of the view. Else it is as a rolling one, and what
    /// is read says so.
    Exact {
        /// How far back.
        span: Span,
        /// How coarsely the tail edge is rounded where too many rows lie about it; not longer than `span`.
        hop: Span,
    },
    /// `floor_span(t) <= ts < t`: the tumbling window that an event at `t` would lie in.
    Tumbling {
        /// How long it is once it is complete.
        span: Span,
    },
    /// `end - span <= ts < end` where `end = floor_every(t) - ago`: a tumbling or hopping window that is complete.
    Complete {
        /// How long it is; a multiple of `every`.
        span: Span,
        /// How often one becomes complete.
        every: Span,
        /// How much earlier than the last one it became complete; a multiple of `every`.
        ago: Span,
    },
    /// The unit of the calendar that `t` lies in, as far as it is past, or the one before it.
    Calendar {
        /// Which unit, and where.
        calendar: Calendar,
        /// Whether it is the one before.
        is_complete: bool,
    },
    /// The session under way at `t`, or the last one that is closed by then.
    Session {
        /// Which events are of one.
        session: Session,
        /// Whether it is the last closed one.
        is_last: bool,
    },
    /// `ts < t`
    Lifetime,
    /// The `n` last rows of the measure, in the total order, of `ts < t`, or of those that lie `within` this tail.
    LastN {
        /// How many; at most [`limits::LIST_ITEMS_MAX`].
        n: u8,
        /// Where it says how far back they may lie: `floor_hop(t - span) <= ts < t`.
        within: Option<Level>,
    },
    /// `ts < t`, each row with a weight that halves with each half-life it is older: see [`Decay`]. What is more than
    /// [`limits::HALF_LIVES_KEPT`] half-lives old has none.
    Decay(Decay),
}

impl Window {
    /// How long it is, if it has a length.
    #[must_use]
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Rolling { span, .. } | Self::Exact { span, .. } => Some(span),
            Self::Tumbling { span } | Self::Complete { span, .. } => Some(span),
            // Two months are not equally long, nor are two sessions, and what decays has no end.
            // So many rows neither.
            Self::Calendar { .. } | Self::Session { .. } | Self::Lifetime | Self::LastN { .. } | Self::Decay(_) => None,
        }
    }

    /// How many of its rows count, the last ones, if not all do.
    #[must_use]
    pub fn last_n(self) -> Option<u8> {
        if let Self::LastN { n, .. } = self { Some(n) } else { None }
    }

    /// Whether it is cut at the tick.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Exact { .. })
    }

    /// What it must know of all rows of the view: where sessions begin is told by when rows were.
    #[must_use]
    pub fn keeps_of_rows(self) -> Keeps {
        match self {
            Self::Session { .. } => Keeps::TIMES,
            _ => Keeps::NOTHING,
        }
    }

    /// Its tail edge at `t` is `floor_hop(t - span)` of this level, that of the calendar not before it and on its hop, that
    /// of an exact one or of a session not before it; `None` where it has none.
    #[must_use]
    pub fn tail(self) -> Option<Level> {
        match self {
            Self::Rolling { span, hop } | Self::Exact { span, hop } => Some(Level { hop, span }),
            Self::Tumbling { span } => Some(Level { hop: span, span: Span(0) }),
            Self::Complete { span, every, ago } => Some(Level { hop: every, span: span + ago }),
            Self::Calendar { calendar, is_complete } => {
                let (reach, longest) = (calendar.reach(), calendar.longest());
                Some(Level { hop: calendar.hop, span: if is_complete { reach + longest } else { reach } })
            }
            Self::Session { session, .. } => Some(Level { hop: session.hop, span: session.within }),
            Self::Decay(Decay { half_life }) => {
                Some(Level { hop: half_life, span: Span(half_life.0.saturating_mul(limits::HALF_LIVES_KEPT - 1)) })
            }
            Self::LastN { within, .. } => within,
            Self::Lifetime => None,
        }
    }

    /// How fast its rows lose their weight, if they do.
    #[must_use]
    pub fn decay(self) -> Option<Decay> {
        if let Self::Decay(decay) = self { Some(decay) } else { None }
    }
}

/// How fast rows lose their weight.
///
/// Time is cut into half-lives that begin at multiples of one. In each of them weights rise from 2^24 to almost 2^25, in
/// 2^20 steps: with `f = floor((ts mod half_life) x 2^20 / half_life)` the weight `w(ts)` is `floor(2^24 x 2^(f / 2^20))`.
/// At `t` a row of `ts` counts `w(ts) / w(t)`, halved for each half-life that begins after `ts` and not after `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Decay {
    /// After so long half of a weight is left.
    pub half_life: Span,
}

/// How far before the instant of a read a feature looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shift {
    /// At the instant.
    #[default]
    Nothing,
    /// As a read asked for one tick before: the event that triggers a read at its own time and a tick is not in it.
    Current,
    /// A span before the instant; of rolling and complete windows alone. The head of a rolling one is rounded down to a
    /// multiple of the hop then, as its tail is.
    Back(Span),
}

impl Shift {
    /// How far back from an instant a window of this span reaches. The tick before the instant is no further: it is an
    /// instant that must be answerable itself.
    #[must_use]
    pub fn reach(self, span: Span) -> Span {
        match self {
            Self::Nothing | Self::Current => span,
            Self::Back(back) => span + back,
        }
    }
}

/// The hop of a rolling window that declares none; depends on the window alone, so that adding a
/// feature never changes another.
#[must_use]
pub fn default_hop(window: Span) -> Span {
    const MINUTE: i64 = 60_000_000;
    match window.0 {
        w if w <= MINUTE => Span::seconds(1),
        w if w <= 10 * MINUTE => Span::seconds(5),
        w if w <= 120 * MINUTE => Span::seconds(60),
        w if w <= 48 * 60 * MINUTE => Span::seconds(30 * 60),
        w if w <= 14 * 24 * 60 * MINUTE => Span::seconds(6 * 3600),
        _ => Span::seconds(86_400),
    }
}
