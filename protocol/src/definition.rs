//! Definitions as people write them: YAML to a checked [`Plan`], every mistake with line and column. Knows no file
//! system: text and the file's name come in.
//!
//! `text -> tree with places (yaml) -> well-formed parts (draft) -> names, types, columns, ladders (compile) -> Plan`.
//! Each step goes on past a mistake where the rest still makes sense, so that one run names them all.

mod change;
mod compile;
mod draft;
mod mistake;
mod place;
mod shape;
pub mod suggest;
mod yaml;

pub use self::change::{Change, ChangeKind, Effect, changes};
pub use self::mistake::{Mistake, Mistakes};
pub(crate) use self::mistake::{Notes, quoted};
pub(crate) use self::place::{Mark, Source, Style, Word};
use crate::ids::ControlIndex;
use crate::limits;
use crate::plan::Plan;

/// The JSON schema of a definitions file, for editors. It knows the shape of the file; what names refer to, only
/// [`compile()`] knows.
pub const SCHEMA: &str = include_str!("definition/schema.json");

/// The plan of a definitions text as control entry `index`, after `previous`. `file` is how messages name the text.
///
/// The result depends on the control log alone. What already stood in `previous` keeps its columns and ladders; what is
/// new begins at `index`.
///
/// # Errors
/// Every mistake of the file; nothing of it may be used then.
pub fn compile(text: &str, file: &str, previous: Option<&Plan>, index: ControlIndex) -> Result<Plan, Mistakes> {
    let mut notes = Notes::default();
    let source = Source::new(text);
    if text.len() > limits::DEFINITIONS_BYTES_MAX {
        let message = format!("{} bytes; definitions have at most {}", text.len(), limits::DEFINITIONS_BYTES_MAX);
        notes.add(Mark::START, message);
        return Err(notes.finish(file, &source));
    }
    let plan = yaml::parse(text, &mut notes).ok().and_then(|root| {
        let draft = draft::read(&root, &source, &mut notes);
        compile::plan(&draft, previous, index, &mut notes)
    });
    match plan {
        Some(plan) if notes.is_empty() => Ok(plan),
        _ => Err(notes.finish(file, &source)),
    }
}

#[cfg(test)]
mod tests;
