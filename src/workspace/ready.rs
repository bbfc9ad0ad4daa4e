//! A workspace with everything read and judged: what a campaign is launched from.

use super::{Unusable, Workspace};
use crate::config::Config;
use crate::model::{Channel, Customer, Money};
use crate::providers::Message;
use crate::rules::content::Content;
use crate::rules::lints::{Survey, Together, together};
use crate::rules::render::{Context, Link};
use crate::rules::sms::measure;
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
    /// The columns of the customer list, as content may name them.
    pub columns: Vec<String>,
    rules_file: PathBuf,
}

impl Ready {
    /// The same rules and settings with other texts: those that a campaign in flight sends.
    pub fn with(&self, content: Content) -> Self {
        Self { content, ..self.clone() }
    }

    /// A survey of what the customers would be sent: show it each one while the list is read.
    pub fn survey(&self) -> Survey<'_> {
        let rules = Some(&self.rules);
        let (content, config, columns) = (&self.content, &self.config, Some(self.columns.as_slice()));
        Survey::new(&Together { rules, rules_file: &self.rules_file, content, config, columns })
    }
}

/// Longest short link that is reckoned with, in characters beyond the base: `/` and a code.
const SAMPLE_CODE: &str = "AbCdEfGhIjKlMnOpQrStUv";

impl Ready {
    /// The most that one attempt on `channel` can cost for this customer: a message, the segments of their text
    /// with `links_base` in it, or a call of the longest duration.
    pub fn worst_cost(&self, channel: Channel, customer: &Customer, links_base: &str) -> Money {
        let Some(pace) = self.config.pace(channel) else { return Money::ZERO };
        match channel {
            Channel::Whatsapp | Channel::Email => pace.cost,
            Channel::Phone => {
                let longest = self.content.voice.as_ref().map_or(0, |v| v.max_duration_s);
                pace.cost + pace.cost_per_minute.for_seconds(longest.into())
            }
            Channel::Sms => {
                let url = format!("{links_base}/{SAMPLE_CODE}");
                let segments = |tried: &[Channel]| {
                    let link = Link { url: &url, code: SAMPLE_CODE };
                    let context = Context { tried, attempt_key: "", link, validity_s: 0 };
                    match self.content.message(channel, customer, &context) {
                        Ok(Message::Text { body, .. }) => measure(&body).segments,
                        Ok(Message::Template(_) | Message::Call(_)) | Err(_) => 0,
                    }
                };
                // Sections stand or fall with what was tried before: one of these is the longest.
                let most = segments(&[]).max(segments(Channel::ALL));
                pace.cost * u64::from(most.max(1))
            }
        }
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
        self.judged(true)
    }

    /// The same without the list: for whoever is in flight, next week's list says nothing.
    pub fn ready_without_list(&self) -> Result<Ready, Unusable> {
        self.judged(false)
    }

    fn judged(&self, with_list: bool) -> Result<Ready, Unusable> {
        let mut problems = self.config_problems.clone();
        let rules_file = self.rules.source.path();
        let (rules, found) = parse(&rules_file, &self.rules.bytes);
        problems.extend(found);
        let (content, found) = Content::parse(self.content_files());
        problems.extend(found);
        let (Some(config), Some(rules)) = (self.config.clone(), rules) else {
            return Err(Unusable::Problems(problems));
        };
        let columns = with_list.then(|| self.list(&config)).transpose()?.map(|list| list.columns());
        let all = Together {
            rules: Some(&rules),
            rules_file: &rules_file,
            content: &content,
            config: &config,
            columns: columns.as_deref(),
        };
        problems.extend(together(&all));
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return Err(Unusable::Problems(problems));
        }
        let columns = columns.unwrap_or_default();
        Ok(Ready { config, rules, content, warnings: problems, columns, rules_file })
    }
}
