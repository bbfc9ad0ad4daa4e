//! A workspace with everything read and judged: what a campaign is launched from.

use super::{Unusable, Workspace};
use crate::config::Config;
use crate::rules::content::Content;
use crate::rules::lints::{Survey, Together, together};
use crate::rules::{CustomerList, Problem, Rules, Severity, parse};
use std::io::Read;
use std::path::PathBuf;

/// A customer list that is being read.
pub type List = CustomerList<Box<dyn Read + Send>>;

/// Rules, content and settings without an error in them.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The settings.
    pub config: Config,
    /// The rules.
    pub rules: Rules,
    /// The content.
    pub content: Content,
    /// What is probably not what was meant.
    pub warnings: Vec<Problem>,
    /// Further columns of the customer list.
    pub columns: Vec<String>,
    rules_file: PathBuf,
}

impl Ready {
    /// A survey of what the customers would be sent: show it each one while the list is read.
    pub fn survey(&self) -> Survey<'_> {
        let rules = Some(&self.rules);
        let (content, config, columns) = (&self.content, &self.config, Some(self.columns.as_slice()));
        Survey::new(&Together { rules, rules_file: &self.rules_file, content, config, columns })
    }
}

impl Workspace {
    /// Opens the customer list at its beginning, for numbers of `config`'s region.
    pub fn list(&self, config: &Config) -> Result<List, Unusable> {
        let source = self.open_customers()?;
        Ok(CustomerList::open(&self.customers.path(), source, &config.default_region)?)
    }

    /// Reads and judges everything but the rows of the list. All errors are given together.
    pub fn ready(&self) -> Result<Ready, Unusable> {
        let mut problems = self.config_problems.clone();
        let rules_file = self.rules.source.path();
        let (rules, found) = parse(&rules_file, &self.rules.bytes);
        problems.extend(found);
        let (content, found) = Content::parse(self.content_files());
        problems.extend(found);
        let (Some(config), Some(rules)) = (self.config.clone(), rules) else {
            return Err(Unusable::Problems(problems));
        };
        let columns = self.list(&config)?.extra_columns();
        let all = Together {
            rules: Some(&rules),
            rules_file: &rules_file,
            content: &content,
            config: &config,
            columns: Some(&columns),
        };
        problems.extend(together(&all));
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return Err(Unusable::Problems(problems));
        }
        Ok(Ready { config, rules, content, warnings: problems, columns, rules_file })
    }
}
