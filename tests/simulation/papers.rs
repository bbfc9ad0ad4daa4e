//! The simulated workspace: the rules file alone. It outlives the process, as a disk does.

use cascade::rules;
use cascade::rules::content::Content;
use cascade::runtime::launch::Plan;
use cascade::runtime::saving::{Change, Files, Looked, RULES, Refusal, TrailError, Written};
use futures::future::{BoxFuture, FutureExt as _, ready};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// See the module's words.
#[derive(Clone, Debug)]
pub struct Papers {
    plan: Arc<Plan>,
    /// What stands in the file.
    rules: Arc<Mutex<Vec<u8>>>,
    /// How often it was written.
    pub written: Arc<Mutex<u64>>,
}

impl Papers {
    pub fn new(plan: Arc<Plan>) -> Self {
        let rules = Arc::new(Mutex::new(plan.ready.rules.bytes.clone()));
        Self { plan, rules, written: Arc::default() }
    }

    fn stands(&self) -> Vec<u8> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a launch would launch, as the file stands.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::new(self.judged(&self.stands()).unwrap_or_else(|_| (*self.plan).clone()))
    }

    fn judged(&self, bytes: &[u8]) -> Result<Plan, Refusal> {
        let (rules, problems) = rules::parse(Path::new(RULES), bytes);
        let rules = rules.ok_or_else(|| Refusal::new(format!("{problems:?}")))?;
        let mut plan = (*self.plan).clone();
        plan.ready.rules = rules;
        Ok(plan)
    }
}

impl Files for Papers {
    /// On the simulated thread, at once.
    fn takes_time(&self) -> bool {
        false
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        Ok((name == RULES).then(|| self.stands()))
    }

    fn judge(&self, files: &[(String, Vec<u8>)], _in_flight: bool) -> Result<Plan, Refusal> {
        let bytes = files.iter().find(|(name, _)| name == RULES).map(|(_, bytes)| bytes.clone());
        self.judged(&bytes.unwrap_or_else(|| self.stands()))
    }

    fn look(&self, _change: &Change) -> Looked {
        Looked::default()
    }

    fn announce(&self, _content: Arc<Content>) -> BoxFuture<'static, Result<(), TrailError>> {
        ready(Ok(())).boxed()
    }

    fn keep(&self, change: &Change) -> Result<Written, TrailError> {
        for (_, bytes) in &change.files {
            self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone_from(bytes);
        }
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(Written { commit: Some("c0ffee".into()), note: String::new() })
    }
}
