//! Derived features with their names looked up, each after those it uses. Knows no ladder: they are computed from what a
//! read answers, and from what is sent with it.

use std::collections::BTreeMap;

use super::view::default;
use crate::definition::draft::{self, View};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::Word;
use crate::definition::shape::refuse;
use crate::expression::{self, Expression, Names, Type, Wanted, request_name};
use crate::plan::{Answers, Derived};

/// `None` where something refers to nothing, or to itself; it is noted. `answers` are those of the features' results;
/// `None` where one is wrong, which is noted too.
pub(super) fn resolve(view: &View, answers: Vec<Option<Answers>>, notes: &mut Notes) -> Option<Vec<Derived>> {
    let results = view.features.iter().flat_map(|feature| &feature.results);
    let places: BTreeMap<&str, usize> = results.zip(0..).map(|(result, at)| (result.name.value.as_str(), at)).collect();
    let first: usize = view.features.iter().map(|feature| feature.results.len()).sum();
    let values = (first + view.derived.len()..).zip(view.request.iter().flatten());
    let mut resolver = Resolver {
        first,
        sent: values.map(|(at, sent)| (sent.name.value.as_str(), (at, sent.kind.map(Type::from)))).collect(),
        drafts: view.derived.iter().zip(0..).map(|(draft, at)| (draft.name.value.as_str(), at)).collect(),
        places,
        answers,
        view,
        state: vec![State::Waiting; view.derived.len()],
        sorted: Vec::new(),
    };
    let found: Vec<Option<()>> = (0..view.derived.len()).map(|at| resolver.visit(at, &mut Vec::new(), notes)).collect();
    found.into_iter().all(|found| found.is_some()).then_some(resolver.sorted)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// It waits for one that it uses.
    Open,
    Done,
    /// Wrong, and noted.
    Wrong,
}

struct Resolver<'d> {
    view: &'d View,
    /// How many results come before the derived ones.
    first: usize,
    /// Where results stand: those of features, and derived ones as they are sorted.
    places: BTreeMap<&'d str, usize>,
    /// What stands there.
    answers: Vec<Option<Answers>>,
    /// Request values by name: which input each is, behind all results, and of which type.
    sent: BTreeMap<&'d str, (usize, Option<Type>)>,
    /// Derived features by name, as written.
    drafts: BTreeMap<&'d str, usize>,
    state: Vec<State>,
    sorted: Vec<Derived>,
}

impl<'d> Resolver<'d> {
    /// Puts a derived feature behind those it uses; `path` are those that wait for it.
    fn visit(&mut self, at: usize, path: &mut Vec<usize>, notes: &mut Notes) -> Option<()> {
        match self.state[at] {
            State::Done => return Some(()),
            State::Wrong => return None,
            State::Open => {
                let begin = path.iter().position(|other| *other == at).unwrap_or(0);
                self.note_cycle(&path[begin..], notes);
                return None;
            }
            State::Waiting => {}
        }
        self.state[at] = State::Open;
        path.push(at);
        let done = self.resolve_one(at, path, notes);
        path.pop();
        self.state[at] = if done.is_some() { State::Done } else { State::Wrong };
        done
    }

    fn resolve_one(&mut self, at: usize, path: &mut Vec<usize>, notes: &mut Notes) -> Option<()> {
        let view = self.view;
        let draft::Derived { name, formula, default: written } = &view.derived[at];
        let formula = formula.as_ref()?;
        let names = formula.names();
        if names.is_empty() {
            let message = "it uses no result and no request value; a number alone is no feature";
            return refuse(notes, name.at, format!("derived {}: {message}", quoted(&name.value)));
        }
        // All of them, so that every wrong one is named.
        let known: Vec<Option<()>> = names.iter().map(|used| self.know(used, path, notes)).collect();
        known.into_iter().collect::<Option<Vec<()>>>()?;
        let formula = expression::check(formula, Some(Wanted::Number), self, notes)?;
        let default = match written {
            None => None,
            Some(word) => Some(default(word, Answers::One(formula.of), notes)?),
        };
        self.answers.push(Some(Answers::One(formula.of)));
        self.places.insert(&name.value, self.first + self.sorted.len());
        self.sorted.push(Derived { name: name.value.clone(), formula, default });
        Some(())
    }

    fn know(&mut self, used: &Word, path: &mut Vec<usize>, notes: &mut Notes) -> Option<()> {
        let name = used.value.as_str();
        if let Some(name) = request_name(name) {
            return self.know_sent(used, name, notes);
        }
        if self.places.contains_key(name) {
            return Some(());
        }
        if let Some(at) = self.drafts.get(name).copied() {
            return self.visit(at, path, notes);
        }
        if self.view.are_results_known {
            let message = format!("{} is no result of this view", quoted(name));
            let known = self.places.keys().chain(self.drafts.keys());
            let known: std::collections::BTreeSet<&str> = known.copied().collect();
            notes.unknown(used.at, message, name, known);
        }
        None
    }

    fn know_sent(&self, used: &Word, name: &str, notes: &mut Notes) -> Option<()> {
        if let Some((_, of)) = self.sent.get(name) {
            return of.map(|_| ());
        }
        let list = self.view.request.as_ref()?;
        let message = format!("{} is no request value of this view", quoted(name));
        if list.is_empty() {
            let advice = format!("declare it, for example `request: {{ {name}: decimal(2) }}`");
            return refuse(notes, used.at, format!("{message}; {advice}"));
        }
        notes.unknown(used.at, message, name, self.sent.keys().copied());
        None
    }

    /// Which input a name is, and what it answers.
    fn find(&self, name: &str) -> Option<(usize, Answers)> {
        match request_name(name) {
            Some(name) => self.sent.get(name).and_then(|(at, of)| Some((*at, Answers::One((*of)?)))),
            None => {
                let place = *self.places.get(name)?;
                Some((place, self.answers.get(place).copied().flatten()?))
            }
        }
    }

    fn note_cycle(&self, cycle: &[usize], notes: &mut Notes) {
        let names = cycle.iter().chain(cycle.first()).filter_map(|at| self.view.derived.get(*at));
        let names: Vec<String> = names.map(|derived| quoted(&derived.name.value)).collect();
        if let Some(first) = cycle.first().and_then(|at| self.view.derived.get(*at)) {
            let message = format!("derived {} uses itself: {}; break the circle", names[0], names.join(" -> "));
            notes.add(first.name.at, message);
        }
    }
}

impl Names for Resolver<'_> {
    fn class(&self, name: &str) -> Option<Wanted> {
        match self.find(name)? {
            (_, Answers::One(of)) => Some(Type::as_wanted(of)),
            (_, Answers::List(_) | Answers::Counts(_)) => None,
        }
    }

    fn resolve(&mut self, word: &Word, _: Option<Wanted>, notes: &mut Notes) -> Option<Expression> {
        match self.find(&word.value)? {
            (at, Answers::One(of)) => Some(Expression::input(at, of)),
            (_, Answers::List(_) | Answers::Counts(_)) => {
                let message = format!("{} is several values; an expression takes one", quoted(&word.value));
                refuse(notes, word.at, message)
            }
        }
    }

    fn has_event(&self) -> bool {
        false
    }
}
