//! Which results a request asks for, in the order of the reply. Knows no entity.

use featuregrid_protocol::plan::{Plan, ServiceResult};
use tonic::Status;

/// Results by view and place; nothing, until something is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) results: Vec<ServiceResult>,
}

impl Wanted {
    /// All results of the named views, or those of a service.
    pub(super) fn of(plan: &Plan, views: &[String], service: &str) -> Result<Self, Status> {
        if !service.is_empty() {
            if !views.is_empty() {
                return Err(Status::invalid_argument("ask for views or for a service, not for both"));
            }
            let known = || plan.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ");
            let found = plan.service(service).map(|service| Self { results: service.results.clone() });
            return found.ok_or_else(|| {
                Status::not_found(format!("no feature service `{service}`; there are: {}", known()))
            });
        }
        if views.is_empty() {
            return Err(Status::invalid_argument("name the feature views, or a feature service"));
        }
        let mut results = Vec::new();
        for name in views {
            let known = || plan.views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>().join(", ");
            let unknown = || Status::not_found(format!("no feature view `{name}`; there are: {}", known()));
            let view = plan.view_index(name).ok_or_else(unknown)?;
            results.extend((0..plan.views[view].results().count()).map(|result| ServiceResult { view, result }));
        }
        Ok(Self { results })
    }

    /// The views they are of, each once.
    pub(super) fn views(&self) -> Vec<usize> {
        let mut views = Vec::new();
        for ServiceResult { view, .. } in &self.results {
            if !views.contains(view) {
                views.push(*view);
            }
        }
        views
    }
}
