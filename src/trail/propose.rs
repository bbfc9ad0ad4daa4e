//! What a pull request says: the commits' reasons, the difference, the evidence. Text from outside stands in code, where it
//! can neither call anybody nor lead anywhere.

use super::ground::Ground;
use super::message;
use super::{NotPushed, NotSaved, Onto, RULES, Settings, branch, diff, identity};
use crate::model::{Untrusted, sinks};
use git2::{BranchType, Commit, Delta, Oid, Repository, Sort};
use std::fmt::Write as _;
use std::path::Path;

/// GitHub takes 65,536 characters.
const BODY_MAX: usize = 60_000;

/// Commits whose reasons are listed.
const COMMITS_MAX: usize = 50;

/// Longest title, in characters.
const TITLE_MAX: usize = 100;

/// What the rules have shown: rows of a small table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What it is about, in our words.
    pub title: String,
    /// Label and value; both are written as code.
    pub rows: Vec<(Untrusted, Untrusted)>,
}

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The branch with the change.
    pub branch: String,
    /// Its newest commit when the rest was written, forty hexadecimal digits: what is to be pushed.
    pub commit: String,
    /// The branch it is to go into.
    pub base: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
}

/// What is proposed: the named branch, or the one that the working files hold.
pub fn proposal(
    workspace: &Path,
    named: Option<&str>,
    settings: &Settings,
    evidence: &[Evidence],
) -> Result<Proposal, NotPushed> {
    let Some(ground) = Ground::find(workspace, [Path::new(RULES)])? else {
        return Err(NotPushed::NoRepository);
    };
    let repo = &ground.repo;
    let base = branch::base(repo, settings).unwrap_or_else(|| "main".into());
    let from = branch::tip(repo, settings, &base);
    let branch = match named {
        Some(name) => name.to_owned(),
        None => current(&ground, settings, &base, from.as_ref())?,
    };
    let Ok(found) = repo.find_branch(&branch, BranchType::Local) else {
        return Err(NotPushed::NoBranch(branch));
    };
    if branch == base {
        return Err(NotPushed::OnBase(base));
    }
    let tip = found.get().peel_to_commit().map_err(NotSaved::git("branch"))?;
    let Some(from) = from else {
        return Err(NotPushed::Repository(NotSaved::NoBase(base)));
    };
    let commits = commits(repo, tip.id(), from.id())?;
    let newest = commits.last().map(|commit| message::read(&String::from_utf8_lossy(commit.message_bytes())));
    let title = title(newest.as_ref().map_or("Rules", |said| said.subject.as_str()));
    let body = body(repo, &commits, &from, &tip, evidence)?;
    Ok(Proposal { branch, commit: tip.id().to_string(), base, title, body })
}

/// The branch whose change the working files hold: the newest draft that HEAD's branch has not taken in, or HEAD's branch
/// itself, where saves go there. A branch that saves keep clear of is somebody's work in progress, and is never guessed.
fn current(
    ground: &Ground,
    settings: &Settings,
    base: &str,
    from: Option<&Commit<'_>>,
) -> Result<String, NotPushed> {
    let repo = &ground.repo;
    let head = branch::Head::of(repo)?;
    let is_ours = |name: &&str| *name != base && (settings.branch != Onto::Draft || branch::is_draft(name));
    let here = head.branch().filter(is_ours);
    let tip = here.and_then(|_| repo.head().ok()?.peel_to_commit().ok());
    let drafts = branch::drafts(repo);
    for (name, draft) in &drafts {
        let mut others = from.into_iter().chain(&tip);
        let open = |so_far, other| Ok::<_, NotSaved>(so_far && branch::is_open(ground, draft, other)?);
        if others.try_fold(true, open)? {
            return Ok(name.clone());
        }
    }
    if let Some(name) = here {
        return Ok(name.to_owned());
    }
    let Some(place) = ground.places.first() else { return Err(NotPushed::NoRepository) };
    let drafts = drafts.iter().map(|(name, _)| name.clone()).collect();
    let working = branch::working(ground, &place.path)?;
    if from.is_some_and(|from| super::standing::at(from, &place.path) == working) {
        return Err(NotPushed::NothingNew { base: base.to_owned(), drafts });
    }
    Err(NotPushed::NotHeld { drafts })
}

/// What the branch has beyond its base, the oldest first.
fn commits(repo: &Repository, tip: Oid, base: Oid) -> Result<Vec<Commit<'_>>, NotSaved> {
    let fault = || NotSaved::git("history");
    let mut walk = repo.revwalk().map_err(fault())?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(fault())?;
    walk.push(tip).and_then(|()| walk.hide(base)).map_err(fault())?;
    walk.map(|id| id.and_then(|id| repo.find_commit(id)).map_err(fault())).collect()
}

/// A line that calls nobody and closes no issue: titles are no code.
fn title(subject: &str) -> String {
    let plain = sinks::clipboard(subject).replace('@', "(at)").replace('#', "no. ");
    let short: String = plain.chars().take(TITLE_MAX).collect();
    if short.is_empty() { "Rules".into() } else { short }
}

fn body(
    repo: &Repository,
    commits: &[Commit<'_>],
    from: &Commit<'_>,
    tip: &Commit<'_>,
    evidence: &[Evidence],
) -> Result<String, NotSaved> {
    let mut text = String::from("### Why\n\n");
    for commit in commits.iter().rev().take(COMMITS_MAX).rev() {
        let said = message::read(&String::from_utf8_lossy(commit.message_bytes()));
        let reason = if said.reason.is_empty() { &said.subject } else { &said.reason };
        let author = sinks::markdown(&identity::shown(&commit.author()));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {}, by {author}", sinks::markdown(reason));
        if let Some(counts) = said.counts {
            let _ = writeln!(text, "  - whom it moved in flight: {}", sinks::markdown(&counts));
        }
    }
    for table in evidence {
        let _ = write!(text, "\n### {}\n\n| | |\n|---|---|\n", sinks::clipboard(&table.title));
        for (label, value) in &table.rows {
            let _ = writeln!(text, "| {} | {} |", label.markdown(), value.markdown());
        }
    }
    text.push_str("\n### What changes\n");
    for (path, change) in changes(repo, from, tip)? {
        let block = fenced(&change);
        if text.len() + block.len() > BODY_MAX {
            let _ = writeln!(text, "\n{}: too long to stand here; see the files", sinks::markdown(&path));
        } else {
            let _ = write!(text, "\n{}\n\n{block}", sinks::markdown(&path));
        }
    }
    text.push_str("\nProposed with `cascade propose`; whom a change moves is decided where the rules run.\n");
    Ok(text)
}

/// Per file, what the branch changes since it left its base.
fn changes(
    repo: &Repository,
    from: &Commit<'_>,
    tip: &Commit<'_>,
) -> Result<Vec<(String, String)>, NotSaved> {
    let fault = || NotSaved::git("diff");
    let common = repo.merge_base(from.id(), tip.id()).ok().and_then(|id| repo.find_commit(id).ok());
    let before = common.as_ref().map(Commit::tree).transpose().map_err(fault())?;
    let after = tip.tree().map_err(fault())?;
    let found = repo.diff_tree_to_tree(before.as_ref(), Some(&after), None).map_err(fault())?;
    let mut changes = Vec::new();
    for delta in found.deltas() {
        let file = if delta.status() == Delta::Deleted { delta.old_file() } else { delta.new_file() };
        let path = String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned();
        let bytes = |id: Oid| repo.find_blob(id).map(|blob| blob.content().to_vec()).unwrap_or_default();
        let change = diff::diff(&bytes(delta.old_file().id()), &bytes(delta.new_file().id()));
        changes.push((path, change.unified()));
    }
    Ok(changes)
}

/// A block of code, with a fence that nothing in it can close.
fn fenced(code: &str) -> String {
    let lines: Vec<String> = code.lines().map(sinks::screen).collect();
    let code = lines.join("\n");
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}diff\n{code}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_block_closes_it() {
        let block = fenced("+ ````\n+@everyone\n");
        assert!(block.starts_with("`````diff\n") && block.ends_with("\n`````\n"), "{block}");
    }

    #[test]
    fn a_title_calls_nobody() {
        assert_eq!(title("fixes #12 for @ana\u{202e}\n"), "fixes no. 12 for (at)ana");
        assert_eq!(title(" "), "Rules");
    }
}
