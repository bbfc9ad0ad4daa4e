//! Whatever state index and working tree are in, a commit changes exactly the named paths, and nothing else is touched.

use crate::repo::{NEW, OLD, RULES, Repo, file};
use cascade::trail::{Onto, Uncommitted};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What somebody else does to a file that is not named.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Stage,
    Edit,
    Delete,
    StageDeletion,
    Make,
    StageNew,
    MakeExecutable,
}

const OTHERS: [&str; 4] = ["others.txt", "more.txt", "rules/content/sms.txt", "rules/cascade.json.bak"];

fn deed() -> impl Strategy<Value = (Deed, usize)> {
    use Deed::{Delete, Edit, Make, MakeExecutable, Stage, StageDeletion, StageNew};
    let deeds =
        prop::sample::select(vec![Stage, Edit, Delete, StageDeletion, Make, StageNew, MakeExecutable]);
    (deeds, 0..OTHERS.len())
}

fn act(repo: &Repo, deed: Deed, name: &str, n: usize) {
    let path = repo.root().join(name);
    let git = repo.git2();
    let mut index = git.index().unwrap();
    let tracked = index.get_path(Path::new(name), 0).is_some();
    match deed {
        Deed::Stage | Deed::StageNew | Deed::Edit | Deed::Make => {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("{n}\n")).unwrap();
            if matches!(deed, Deed::Stage | Deed::StageNew) {
                index.add_path(Path::new(name)).unwrap();
            }
        }
        Deed::Delete => drop(fs::remove_file(&path)),
        Deed::StageDeletion if tracked => index.remove_path(Path::new(name)).unwrap(),
        Deed::MakeExecutable if path.exists() => {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Deed::StageDeletion | Deed::MakeExecutable => {}
    }
    index.write().unwrap();
}

/// All entries of the index but the named ones.
fn staged(repo: &Repo, but: &[&str]) -> BTreeMap<String, (git2::Oid, u32, u32)> {
    let index = repo.git2().index().unwrap();
    let entry = |e: git2::IndexEntry| (String::from_utf8(e.path).unwrap(), (e.id, e.mode, e.file_size));
    index.iter().map(entry).filter(|(path, _)| !but.contains(&path.as_str())).collect()
}

fn files(repo: &Repo, but: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = repo.everything();
    let named = |path: &Path| but.iter().any(|name| path == repo.root().join(name));
    all.retain(|path, _| !named(path) && !path.starts_with(repo.root().join(".git")));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_commit_is_the_named_files_and_nothing_else(
        deeds in prop::collection::vec(deed(), 0..8),
        onto in prop::sample::select(vec![Onto::Auto, Onto::Draft, Onto::CheckedOut]),
        own in any::<bool>(),
        with_text in any::<bool>(),
    ) {
        let repo = Repo::new().onto(onto);
        if own {
            repo.switch_to_new("spring");
        }
        for (n, (deed, which)) in deeds.iter().enumerate() {
            act(&repo, *deed, OTHERS[*which], n);
        }
        let mut named = vec![file(RULES, Some(OLD), NEW)];
        let voice = "rules/content/voice.md";
        if with_text {
            named.push(file(voice, None, "Hello\n"));
        }
        let paths: Vec<&str> = if with_text { vec![RULES, voice] } else { vec![RULES] };
        let (index, others, branches) = (staged(&repo, &paths), files(&repo, &paths), repo.branches());
        let raw = fs::read(repo.root().join(".git/index")).unwrap();
        let head = fs::read(repo.root().join(".git/HEAD")).unwrap();

        let saved = repo.with(&named, "too slow", Uncommitted::Refuse).unwrap().commit.unwrap();

        prop_assert_eq!(repo.changed(&saved.id), paths.clone());
        prop_assert_eq!(staged(&repo, &paths), index);
        prop_assert_eq!(files(&repo, &paths), others);
        prop_assert_eq!(fs::read(repo.root().join(".git/HEAD")).unwrap(), head);
        let mut now = repo.branches();
        let tip = now.remove(&saved.branch.name).map(|id| id.to_string());
        prop_assert_eq!(tip, Some(saved.id.clone()));
        let mut before = branches;
        before.remove(&saved.branch.name);
        prop_assert_eq!(now, before, "no other branch moved");
        prop_assert_eq!(repo.read(RULES), NEW);
        if saved.branch.is_checked_out {
            let wrong: Vec<String> = repo.git2().statuses(None).unwrap().iter()
                .map(|one| one.path().unwrap().to_owned())
                .filter(|path| paths.contains(&path.as_str()))
                .collect();
            prop_assert!(wrong.is_empty(), "{:?}", wrong);
        } else {
            prop_assert_eq!(fs::read(repo.root().join(".git/index")).unwrap(), raw, "byte for byte");
        }
    }
}
