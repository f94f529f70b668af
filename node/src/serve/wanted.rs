//! Which results a request asks for, in the order of the reply. Knows no entity, and no wire but the words of its refusals.

use featuregrid_actors::shard::Selection;
use featuregrid_protocol::plan::{Plan, ServiceResult};
use thiserror::Error;
use tonic::Status;

/// What a request names and the definitions lack.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Unknown {
    /// No view has the name.
    #[error("no feature view `{name}`; there are: {known}")]
    View { name: String, known: String },
    /// The view has no such result.
    #[error("feature view `{view}` has no feature `{name}`; it has: {known}")]
    Feature { view: String, name: String, known: String },
    /// No service has the name.
    #[error("no feature service `{name}`; there are: {known}")]
    Service { name: String, known: String },
}

impl From<Unknown> for Status {
    fn from(unknown: Unknown) -> Self {
        Self::not_found(unknown.to_string())
    }
}

/// Results by view and place; nothing, until something is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) results: Vec<ServiceResult>,
}

impl Wanted {
    /// All results of the named views, or those of a service.
    pub(super) fn of(plan: &Plan, views: &[String], service: &str) -> Result<Self, Status> {
        match (views.is_empty(), service.is_empty()) {
            (false, false) => Err(Status::invalid_argument("ask for views or for a service, not for both")),
            (true, true) => Err(Status::invalid_argument("name the feature views, or a feature service")),
            (true, false) => Ok(Self::of_service(plan, service)?),
            (false, true) => {
                let mut results = Vec::new();
                for name in views {
                    let view = find_view(plan, name)?;
                    let all = 0..plan.views[view].results().count();
                    results.extend(all.map(|result| ServiceResult { view, result }));
                }
                Ok(Self { results })
            }
        }
    }

    /// The results of a service.
    pub(super) fn of_service(plan: &Plan, name: &str) -> Result<Self, Unknown> {
        let known = || plan.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = plan.service(name).map(|service| Self { results: service.results.clone() });
        found.ok_or_else(|| Unknown::Service { name: name.to_owned(), known: known() })
    }

    /// Single results, each by view and name.
    pub(super) fn of_features(plan: &Plan, features: &[(&str, &str)]) -> Result<Self, Unknown> {
        let find = |&(view, name): &(&str, &str)| {
            let view = find_view(plan, view)?;
            let results = || plan.views[view].results();
            let result = results().position(|result| result == name).ok_or_else(|| Unknown::Feature {
                view: plan.views[view].name.clone(),
                name: name.to_owned(),
                known: results().collect::<Vec<_>>().join(", "),
            })?;
            Ok(ServiceResult { view, result })
        };
        Ok(Self { results: features.iter().map(find).collect::<Result<_, _>>()? })
    }

    /// The views they are of, each once, with the results wanted of it in their order here.
    pub(super) fn selections(&self) -> Vec<Selection> {
        let mut of: Vec<(usize, Vec<usize>)> = Vec::new();
        for ServiceResult { view, result } in &self.results {
            match of.iter_mut().find(|(known, _)| known == view) {
                Some((_, results)) if results.contains(result) => {}
                Some((_, results)) => results.push(*result),
                None => of.push((*view, vec![*result])),
            }
        }
        of.into_iter().map(|(view, results)| Selection { view, results: results.into() }).collect()
    }
}

/// The index of the view of this name.
pub(super) fn find_view(plan: &Plan, name: &str) -> Result<usize, Unknown> {
    let known = || plan.views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>().join(", ");
    plan.view_index(name).ok_or_else(|| Unknown::View { name: name.to_owned(), known: known() })
}
