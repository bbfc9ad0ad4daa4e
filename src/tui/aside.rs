//! What the editor needs done beside the loop: the workspace read, drafts judged and kept, a customer looked up. Each on
//! a thread of its own, and answered by a message.

use super::editor::draft::Draft;
use super::editor::{Desk, Keep};
use super::update::{Msg, Request};
use crate::workspace::bench::{self, Bench, Keeping};
use crate::workspace::forge;
use crate::workspace::on_disk::{self, Stamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Between two writings of a draft: what a crash may cost of what was typed.
const KEEPING: Duration = Duration::from_millis(250);
/// Between two checks of a draft: whoever types is not read over the shoulder at every letter.
const CHECKING: Duration = Duration::from_millis(60);

/// Between two looks at the files: whoever writes them elsewhere is told of a mistake here soon enough.
const WATCHING: Duration = Duration::from_secs(2);

/// Between two looks at a pull request: checks and reviewers take minutes.
const FORGE_RESTS: Duration = Duration::from_mins(2);

/// Does what was asked.
pub fn of(
    request: Request,
    workspace: Option<PathBuf>,
    bench: Option<Arc<Bench>>,
) -> BoxFuture<'static, Option<Msg>> {
    match request {
        Request::Bench => async move {
            let dir = workspace?;
            let read =
                blocking(move || Bench::open(&dir).map(Arc::new).map_err(|why| why.to_string())).await?;
            Some(Msg::Bench(read))
        }
        .boxed(),
        Request::Check { texts, revisions } => async move {
            let judged = blocking(move || bench::check(bench.as_deref(), &texts)).await?;
            tokio::time::sleep(CHECKING).await;
            Some(Msg::Checked(revisions, Box::new(judged)))
        }
        .boxed(),
        Request::Keep(keep) => async move {
            let Some(dir) = workspace else { return Some(Msg::Kept(keep, Ok(Keeping::Done))) };
            let (keep, done) = blocking(move || {
                let done = write(&dir, &keep);
                (keep, done)
            })
            .await?;
            tokio::time::sleep(KEEPING).await;
            Some(Msg::Kept(keep, done.map_err(|why| why.to_string())))
        }
        .boxed(),
        Request::Found => async move {
            let dir = workspace?;
            Some(Msg::Found(blocking(move || bench::kept(&dir)).await?))
        }
        .boxed(),
        Request::Customer(bench, phone) => async move {
            let wanted = phone.clone();
            let found = blocking(move || bench.customer(&wanted)).await?;
            Some(Msg::Customer(phone, found.map(Box::new)))
        }
        .boxed(),
        Request::Forge => async move {
            let place = forge::place(workspace?).await;
            Some(Msg::Forge(place.map(Box::new)))
        }
        .boxed(),
        Request::ForgeLater => tokio::time::sleep(FORGE_RESTS).map(|()| Some(Msg::ForgeAgain)).boxed(),
        Request::Propose(evidence) => async move {
            let done = match workspace {
                Some(dir) => {
                    let done = forge::propose(dir, None, evidence).await;
                    done.map(|done| Box::new(done.into())).map_err(|why| why.to_string())
                }
                None => Err("this console has no workspace".to_owned()),
            };
            Some(Msg::Proposed(done))
        }
        .boxed(),
        Request::Watch(stamp) => on_disk(workspace, Some(stamp)),
        _ => async { None }.boxed(),
    }
}

/// What is wrong with the rules and texts on disk, as soon as they are not as they were at `seen`; `None`: now.
pub fn on_disk(workspace: Option<PathBuf>, seen: Option<Stamp>) -> BoxFuture<'static, Option<Msg>> {
    async move {
        let dir = workspace?;
        loop {
            let at = dir.clone();
            let stamp = blocking(move || on_disk::stamp(&at)).await?;
            if seen.as_ref() != Some(&stamp) {
                let problems = blocking(move || on_disk::errors(&dir)).await?;
                return Some(Msg::OnDisk(stamp, problems));
            }
            tokio::time::sleep(WATCHING).await;
        }
    }
    .boxed()
}

/// Before the screen goes: what was typed last.
pub async fn keep_all(desk: &Desk, workspace: Option<&Path>) {
    let Some(dir) = workspace else { return };
    let stale = |draft: &&Draft| draft.kept != draft.revision;
    let drafts: Vec<Keep> = desk.drafts.values().filter(stale).map(|draft| desk.keeping(draft)).collect();
    let dir = dir.to_owned();
    let done = blocking(move || drafts.iter().try_for_each(|keep| write(&dir, keep).map(drop))).await;
    if let Some(Err(why)) = done {
        tracing::warn!(%why, "a draft could not be kept");
    }
}

fn write(dir: &Path, keep: &Keep) -> std::io::Result<Keeping> {
    bench::put(dir, &keep.kept, keep.changed, keep.known.as_ref())
}

/// `None`: it panicked, which the log tells.
async fn blocking<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(does).await.ok()
}
