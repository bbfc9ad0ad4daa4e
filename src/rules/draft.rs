//! The check that runs while somebody types: rules and content as they stand in an editor, unsaved, judged as
//! `cascade check` judges the saved files, by the same functions.

use super::content::{Content, ContentFile};
use super::lints::{Survey, Together, together};
use super::{Problem, Rules, parse};
use crate::config::Config;
use crate::model::Customer;
use std::path::Path;

/// What an editor holds, and what is known around it. Nothing of it is read from a disk.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The rules' file as people know it; named in the problems.
    pub rules_file: &'a Path,
    /// The rules as typed.
    pub rules: &'a str,
    /// The content files, each as typed or as it was found.
    pub content: &'a [ContentFile],
    /// The settings.
    pub config: &'a Config,
    /// The columns of the customer list; `None` if it could not be read.
    pub columns: Option<&'a [String]>,
    /// Customers whose values fill the texts in: the cohort, or some of it. Each one costs a few microseconds, so
    /// that a hundred are fine on every key and the whole list is not.
    pub sample: &'a [Customer],
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The rules, unless one of the problems with them is an error.
    pub rules: Option<Rules>,
    /// The content; what has an error is left out of it.
    pub content: Content,
    /// Everything found: the rules' own first, in the order of the file, then each content file's, then what does not fit
    /// together. `file` says which editor a problem belongs to.
    pub problems: Vec<Problem>,
}

/// Judges a draft. Pure, and meant for every key; `cargo bench --bench rules` measures it on rules of 2,000 lines.
pub fn check_draft(draft: &Draft<'_>) -> Judged {
    let (rules, mut problems) = parse(draft.rules_file, draft.rules.as_bytes());
    let (content, found) = Content::parse(draft.content.to_vec());
    problems.extend(found);
    let all = Together {
        rules: rules.as_ref(),
        rules_file: draft.rules_file,
        content: &content,
        config: draft.config,
        columns: draft.columns,
    };
    problems.extend(together(&all));
    let mut survey = Survey::new(&all);
    draft.sample.iter().for_each(|customer| survey.see(customer));
    problems.extend(survey.finish());
    Judged { rules, content, problems }
}
