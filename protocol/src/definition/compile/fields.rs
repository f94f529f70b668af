//! The source's fields by name, and what each is used as: declared, or decided by its first use. Knows no filter.

use std::collections::BTreeMap;

use crate::definition::draft::{Declared, Field};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::definition::shape::refuse;
use crate::number::{DEFAULT_DOMAIN, Domain};
use crate::plan::{FieldKind, Slot};

/// Fields and what is known of their types.
pub(super) struct Fields<'d> {
    /// `None` where the section could not be read: then nothing is said about names.
    list: Option<&'d [Field]>,
    by_name: BTreeMap<&'d str, Slot>,
    /// What undeclared fields were used as first, and where.
    used: BTreeMap<Slot, (Use, Mark)>,
}

/// What a field is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Text,
    Bool,
    Number,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "true or false",
            Self::Number => "a number",
        }
    }
}

impl<'d> Fields<'d> {
    pub(super) fn new(list: Option<&'d [Field]>) -> Self {
        let by_name = list.iter().copied().flatten().enumerate();
        let by_name = by_name.map(|(slot, field)| (field.name.value.as_str(), slot)).collect();
        Self { list, by_name, used: BTreeMap::new() }
    }

    /// The slot of a name; an unknown one is noted.
    pub(super) fn slot(&self, word: &Word, notes: &mut Notes) -> Option<Slot> {
        let slot = self.by_name.get(word.value.as_str()).copied();
        if slot.is_none() && self.list.is_some() {
            let message = format!("{} is no field of the source", quoted(&word.value));
            notes.unknown(word.at, message, &word.value, self.by_name.keys().copied());
        }
        slot
    }

    /// The path of a slot.
    pub(super) fn path(&self, slot: Slot) -> &'d [String] {
        self.field(slot).map_or(&[], |field| &field.path)
    }

    /// Whether a field says that it is a bool: no key can be.
    pub(super) fn is_bool(&self, slot: Slot) -> bool {
        self.field(slot).is_some_and(|field| field.declared == Declared::Kind(FieldKind::Bool))
    }

    fn field(&self, slot: Slot) -> Option<&'d Field> {
        self.list.and_then(|list| list.get(slot))
    }

    /// The slot of a name that is used so; for numbers [`Fields::domain`] then says how they are read. A use that
    /// contradicts the type, or an earlier use, is noted.
    pub(super) fn used_as(&mut self, word: &Word, wanted: Use, notes: &mut Notes) -> Option<Slot> {
        let slot = self.slot(word, notes)?;
        let is = match self.field(slot)?.declared {
            Declared::Unclear => return None,
            Declared::Kind(FieldKind::Text) => Use::Text,
            Declared::Kind(FieldKind::Bool) => Use::Bool,
            Declared::Kind(FieldKind::Number(_)) => Use::Number,
            Declared::Nothing => {
                let (first, at) = *self.used.entry(slot).or_insert((wanted, word.at));
                if first != wanted {
                    let (name, first, wanted) = (quoted(&word.value), first.name(), wanted.name());
                    let message = format!(
                        "{name} is used as {wanted} here and as {first} in line {}; give the field a `type`",
                        at.line
                    );
                    return refuse(notes, word.at, message);
                }
                first
            }
        };
        if is != wanted {
            let (name, is, wanted) = (quoted(&word.value), is.name(), wanted.name());
            return refuse(
                notes,
                word.at,
                format!("{name} is declared as {is} and cannot be used as {wanted}; change its `type` or its use"),
            );
        }
        Some(slot)
    }

    /// The domain of a field that is used as a number.
    pub(super) fn domain(&self, slot: Slot) -> Domain {
        match self.field(slot).map(|field| field.declared) {
            Some(Declared::Kind(FieldKind::Number(domain))) => domain,
            _ => DEFAULT_DOMAIN,
        }
    }
}
