//! The workspace's side of saving: reading what stands there, judging a draft in its place, and keeping it. A seam: a
//! simulation has a workspace in memory.

use super::trail::{Change, Looked, Trail, TrailError, Written};
use super::{CONTENT, RULES, Refusal};
use crate::model::{Channel, clean};
use crate::phrases::fault;
use crate::providers::whatsapp::Whatsapp;
use crate::rules::content::{Content, file_name};
use crate::rules::lints::one_line;
use crate::rules::{Problem, Severity};
use crate::runtime::launch::Plan;
use crate::runtime::plan::Draw;
use crate::workspace::{Found, Source, Unusable, Workspace};
use futures::future::{BoxFuture, FutureExt as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// See the module's words.
pub trait Files: Send + Sync + std::fmt::Debug {
    /// Whether it may take its time; then it is asked on a thread of its own. Beside the loop it is asked always.
    fn takes_time(&self) -> bool {
        true
    }

    /// What stands in a file; `None`: there is none, or one that is built in.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal>;

    /// What a launch would launch with these files in place of those that stand there. With people in flight faults of the
    /// list, which is the next launch's, refuse nothing.
    fn judge(&self, files: &[(String, Vec<u8>)], in_flight: bool) -> Result<Plan, Refusal>;

    /// Where they would go, and what stands in the way of that.
    fn look(&self, change: &Change) -> Looked;

    /// Tells providers of new texts, where they have to know them before anything is sent.
    fn announce(&self, content: Arc<Content>) -> BoxFuture<'static, Result<(), TrailError>>;

    /// Keeps them.
    fn keep(&self, change: &Change) -> Result<Written, TrailError>;
}

/// Asks beside the loop; `None`: it panicked, and the log has where.
pub(in crate::runtime) async fn beside<T: Send + 'static>(
    files: Arc<dyn Files>,
    work: impl FnOnce(&dyn Files) -> T + Send + 'static,
) -> Option<T> {
    if files.takes_time() {
        tokio::task::spawn_blocking(move || work(&*files)).await.ok()
    } else {
        Some(work(&*files))
    }
}

/// A workspace on disk.
#[derive(Debug)]
pub struct WorkspaceFiles {
    /// As it was opened; its rules and content are read again.
    pub workspace: Workspace,
    /// Who is drawn for a launch.
    pub draw: Draw,
    /// Fixes the draw and, in a rehearsal, how people behave.
    pub seed: u64,
    /// Campaign seconds a wall second.
    pub speed: f64,
    /// Where short links begin.
    pub links_base: String,
    /// Where saved files go.
    pub trail: Box<dyn Trail>,
    /// A rehearsal's WhatsApp, which approves every template at once. In live people write and approve them.
    pub templates: Option<Arc<Whatsapp>>,
}

impl Files for WorkspaceFiles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(Refusal::new(format!("{name} cannot be read: {why}"))),
        }
    }

    fn judge(&self, files: &[(String, Vec<u8>)], in_flight: bool) -> Result<Plan, Refusal> {
        let mut workspace = self.workspace.clone();
        if let Some(bytes) = self.with(files, RULES)? {
            workspace.rules = Found { source: self.source(RULES), bytes };
        }
        for channel in Channel::ALL {
            let (file, name) = (file_name(*channel), content_name(*channel));
            let Some(bytes) = self.with(files, &name)? else { continue };
            let found = Found { source: self.source(&name), bytes };
            match workspace.content.iter_mut().find(|(known, _)| *known == file) {
                Some((_, before)) => *before = found,
                None => workspace.content.push((file, found)),
            }
        }
        let read = Plan::read(&workspace, &self.draw, self.speed);
        let plan = match read {
            Err(why @ (Unusable::List(_) | Unusable::NobodyIn(_) | Unusable::Unreadable { .. }))
                if in_flight =>
            {
                Plan::without_list(&workspace, &self.draw, self.speed, &why.to_string())
            }
            read => read,
        };
        let plan = plan.map_err(|why| refusal(&why))?;
        // Which texts a list cannot fill is the texts' own fault where they are edited.
        let about_texts = !in_flight || files.iter().any(|(name, _)| name != RULES);
        if about_texts && !plan.customers.is_empty() && !plan.blocked.is_empty() {
            let lines = plan.blocked.iter().map(|line| clean(line)).collect();
            return Err(Refusal { lines, ..Refusal::default() });
        }
        Ok(Plan { seed: self.seed, speed: self.speed, links_base: self.links_base.clone(), ..plan })
    }

    fn look(&self, change: &Change) -> Looked {
        self.trail.look(change).unwrap_or_else(|error| {
            let lines = vec![format!("it cannot be saved like this: {error}")];
            Looked { lines, ..Looked::default() }
        })
    }

    fn announce(&self, content: Arc<Content>) -> BoxFuture<'static, Result<(), TrailError>> {
        let (desk, links) = (self.templates.clone(), self.links_base.clone());
        async move {
            let (Some(desk), Some(whatsapp)) = (desk, content.whatsapp.as_ref()) else { return Ok(()) };
            let told = desk.ensure_templates(&whatsapp.specs(&links)).await;
            told.map(drop).map_err(|failure| {
                TrailError::Refused(format!("the sandbox did not take the templates: {}", fault(&failure)))
            })
        }
        .boxed()
    }

    fn keep(&self, change: &Change) -> Result<Written, TrailError> {
        self.trail.keep(change)
    }
}

impl WorkspaceFiles {
    /// The bytes that would stand there.
    fn with(&self, files: &[(String, Vec<u8>)], name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        match files.iter().find(|(changed, _)| changed == name) {
            Some((_, bytes)) => Ok(Some(bytes.clone())),
            None => self.read(name),
        }
    }

    /// Rules that were named on the command line stand elsewhere.
    fn source(&self, name: &str) -> Source {
        match &self.workspace.rules.source {
            Source::File(path) if name == RULES => Source::File(path.clone()),
            Source::File(_) | Source::BuiltIn(_) | Source::Nothing => Source::File(name.into()),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Refusal> {
        if !is_ours(name) {
            return Err(Refusal::new(format!("{} is neither the rules nor a content file", clean(name))));
        }
        let own = Path::new(RULES);
        match &self.workspace.rules.source {
            Source::File(named) if name == RULES && named != own => Err(Refusal::new(format!(
                "the rules were named with --rules ({}): start without it to edit {RULES} here, or edit that file \
                 with another editor",
                clean(&named.display().to_string())
            ))),
            Source::File(_) | Source::BuiltIn(_) | Source::Nothing => Ok(self.workspace.dir.join(name)),
        }
    }
}

/// The file of a channel's texts, relative to the workspace.
pub fn content_name(channel: Channel) -> String {
    format!("{CONTENT}/{}", file_name(channel))
}

/// Whether it is one of the files that are edited here.
pub fn is_ours(name: &str) -> bool {
    name == RULES || Channel::ALL.iter().any(|channel| content_name(*channel) == name)
}

fn refusal(why: &Unusable) -> Refusal {
    match why {
        Unusable::Problems(problems) => {
            let errors = problems.iter().filter(|p: &&Problem| p.severity == Severity::Error);
            Refusal { lines: errors.map(one_line).collect(), ..Refusal::default() }
        }
        other => Refusal::new(other.to_string()),
    }
}
