//! Restarts what ends without being asked to, a bounded number of times. Knows not what it supervises.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use featuregrid_protocol::limits::CHILD_RESTARTS_MAX;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::oneshot;

/// Starts one life of a child under the supervisor it is given.
pub type Start =
    Box<dyn Fn(ActorCell) -> Pin<Box<dyn Future<Output = Result<ActorCell, SpawnErr>> + Send>> + Send + Sync>;

/// One supervised actor.
pub struct Child {
    /// For people.
    pub name: String,
    /// Called for the first life and for every further one.
    pub start: Start,
}

/// See the module.
pub struct Supervisor;

/// Who runs, and how often each had to be started again.
pub struct State {
    children: Vec<(Child, u32)>,
    running: BTreeMap<ActorId, usize>,
    /// Told why when a child ends for good.
    gave_up: Option<oneshot::Sender<String>>,
}

/// A message that nobody sends: a supervisor only hears of its children.
pub struct Nothing;

impl Supervisor {
    /// Starts all children in order. The receiver hears why when one of them ended more often than
    /// [`CHILD_RESTARTS_MAX`] allows; the node should then end, too.
    ///
    /// # Errors
    /// When a child does not start.
    pub async fn start(children: Vec<Child>) -> Result<(ActorRef<Nothing>, oneshot::Receiver<String>), SpawnErr> {
        let (gave_up, told) = oneshot::channel();
        let (actor, _) = Self::spawn(None, Self, (children, gave_up)).await?;
        Ok((actor, told))
    }
}

impl Actor for Supervisor {
    type Msg = Nothing;
    type State = State;
    type Arguments = (Vec<Child>, oneshot::Sender<String>);

    async fn pre_start(
        &self,
        myself: ActorRef<Nothing>,
        (children, gave_up): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut state = State { children: Vec::new(), running: BTreeMap::new(), gave_up: Some(gave_up) };
        for child in children {
            let cell = (child.start)(myself.get_cell()).await?;
            state.running.insert(cell.get_id(), state.children.len());
            state.children.push((child, 0));
        }
        Ok(state)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Nothing>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (who, why) = match event {
            SupervisionEvent::ActorFailed(who, error) => (who, error.to_string()),
            SupervisionEvent::ActorTerminated(who, _, why) => (who, why.unwrap_or_else(|| "it stopped".to_owned())),
            _ => return Ok(()),
        };
        let Some(at) = state.running.remove(&who.get_id()) else { return Ok(()) };
        let (child, restarts) = &mut state.children[at];
        *restarts += 1;
        if *restarts > CHILD_RESTARTS_MAX {
            let why = format!("{} ended {restarts} times, last because: {why}", child.name);
            tracing::error!(child = child.name, "giving up");
            if let Some(gave_up) = state.gave_up.take() {
                let _ = gave_up.send(why); // nobody listens any more: the node is ending
            }
            return Ok(());
        }
        tracing::warn!(child = child.name, restarts = *restarts, error = why, "restarting");
        let cell = (child.start)(myself.get_cell()).await?;
        state.running.insert(cell.get_id(), at);
        Ok(())
    }
}
