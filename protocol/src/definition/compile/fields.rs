//! The source's fields by name, and what each is used as: declared, computed, or decided by its first use. Knows no view.

use std::collections::BTreeMap;

use crate::definition::draft::{Declared, Field, Origin};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::definition::shape::refuse;
use crate::expression::{self, Expression, Names, Tree, Type, Wanted};
use crate::number::DEFAULT_DOMAIN;
use crate::plan::{FieldKind, Key, Slot};

/// Fields and what is known of their types.
pub(super) struct Fields<'d> {
    /// Those with a path, by slot; `None` where the section could not be read: then nothing is said about names.
    list: Option<Vec<(&'d Field, &'d [String])>>,
    by_name: BTreeMap<&'d str, Slot>,
    /// `None` where a computed field is wrong, which is noted.
    computed: BTreeMap<&'d str, Option<Expression>>,
    /// What undeclared fields were used as first, and where.
    used: BTreeMap<Slot, (Wanted, Mark)>,
}

impl<'d> Fields<'d> {
    pub(super) fn new(all: Option<&'d [Field]>, notes: &mut Notes) -> Self {
        let (mut list, mut computed) = (Vec::new(), Vec::new());
        for field in all.unwrap_or_default() {
            match &field.origin {
                Origin::Path(path) => list.push((field, path.as_slice())),
                Origin::Computed(tree) => computed.push((field.name.value.as_str(), tree)),
            }
        }
        let by_name = list.iter().enumerate().map(|(slot, (field, _))| (field.name.value.as_str(), slot)).collect();
        let list = all.map(|_| list);
        let mut fields = Self { list, by_name, computed: BTreeMap::new(), used: BTreeMap::new() };
        let names: Vec<&str> = computed.iter().map(|(name, _)| *name).collect();
        for (name, tree) in computed {
            let expression = tree.as_ref().and_then(|tree| fields.computed_field(tree, &names, notes));
            fields.computed.insert(name, expression);
        }
        fields
    }

    /// A computed field is made of fields with a path: so nothing goes round in circles.
    fn computed_field(&mut self, tree: &Tree, computed: &[&str], notes: &mut Notes) -> Option<Expression> {
        for name in tree.names() {
            if computed.contains(&name.value.as_str()) {
                let advice = "write out what it is computed from";
                return refuse(notes, name.at, format!("{} is computed itself; {advice}", quoted(&name.value)));
            }
        }
        expression::check(tree, None, self, notes)
    }

    fn unknown(&self, word: &Word, notes: &mut Notes) {
        if expression::request_name(&word.value).is_some() {
            let advice = "only `derived` is computed at the read";
            notes.add(word.at, format!("{} is sent with a read, not with an event; {advice}", quoted(&word.value)));
        } else if self.list.is_some() {
            let known = self.by_name.keys().chain(self.computed.keys()).copied();
            notes.unknown(word.at, format!("{} is no field of the source", quoted(&word.value)), &word.value, known);
        }
    }

    /// The path of a slot.
    pub(super) fn path(&self, slot: Slot) -> &'d [String] {
        self.list.as_ref().and_then(|list| list.get(slot)).map_or(&[], |(_, path)| path)
    }

    fn declared(&self, slot: Slot) -> Declared {
        self.list.as_ref().and_then(|list| list.get(slot)).map_or(Declared::Unclear, |(field, _)| field.declared)
    }

    /// A field as a part of a key.
    pub(super) fn key(&self, word: &Word, notes: &mut Notes) -> Option<Key> {
        let name = quoted(&word.value);
        if let Some(computed) = self.computed.get(word.value.as_str()) {
            let computed = computed.clone()?;
            return match computed.of {
                Type::Text | Type::Int => Some(Key::Computed(computed)),
                of => refuse(
                    notes,
                    word.at,
                    format!("{name} is {of}; a join key is text or a whole number: write text(...)"),
                ),
            };
        }
        let Some(slot) = self.by_name.get(word.value.as_str()).copied() else {
            self.unknown(word, notes);
            return None;
        };
        if self.declared(slot) == Declared::Kind(FieldKind::Bool) {
            return refuse(notes, word.at, format!("{name} is true or false and cannot be a join key"));
        }
        Some(Key::Field(slot))
    }
}

/// What an undeclared field is where it is used so.
fn used_as(wanted: Wanted) -> Type {
    match wanted {
        Wanted::Bool => Type::Bool,
        Wanted::Number => DEFAULT_DOMAIN.into(),
        Wanted::Text => Type::Text,
        Wanted::Timestamp => Type::Timestamp,
    }
}

impl Names for Fields<'_> {
    fn class(&self, name: &str) -> Option<Wanted> {
        if let Some(computed) = self.computed.get(name) {
            return computed.as_ref().map(|computed| computed.of.as_wanted());
        }
        let slot = *self.by_name.get(name)?;
        match self.declared(slot) {
            Declared::Unclear => None,
            Declared::Kind(kind) => Some(Type::from(kind).as_wanted()),
            Declared::Nothing => self.used.get(&slot).map(|(first, _)| *first),
        }
    }

    fn resolve(&mut self, word: &Word, wanted: Option<Wanted>, notes: &mut Notes) -> Option<Expression> {
        if let Some(computed) = self.computed.get(word.value.as_str()) {
            return computed.clone();
        }
        let Some(slot) = self.by_name.get(word.value.as_str()).copied() else {
            self.unknown(word, notes);
            return None;
        };
        let name = quoted(&word.value);
        let of = match self.declared(slot) {
            Declared::Unclear => return None,
            Declared::Kind(kind) => kind.into(),
            Declared::Nothing => {
                let known = self.used.get(&slot).copied();
                let Some(class) = wanted.or(known.map(|(first, _)| first)) else {
                    return refuse(
                        notes,
                        word.at,
                        format!("what {name} is cannot be told here; give the field a `type`"),
                    );
                };
                let (first, at) = *self.used.entry(slot).or_insert((class, word.at));
                if first != class {
                    let (first, class, line) = (first.name(), class.name(), at.line);
                    let message = format!(
                        "{name} is used as {class} here and as {first} in line {line}; give the field a `type`"
                    );
                    return refuse(notes, word.at, message);
                }
                used_as(first)
            }
        };
        match wanted {
            Some(wanted) if of.as_wanted() != wanted => {
                let (is, wanted) = (of.as_wanted().name(), wanted.name());
                let advice = "change its `type` or its use";
                refuse(notes, word.at, format!("{name} is declared as {is} and cannot be used as {wanted}; {advice}"))
            }
            _ => Some(Expression::input(slot, of)),
        }
    }

    fn has_event(&self) -> bool {
        true
    }
}
