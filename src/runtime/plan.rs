//! Reading what a campaign is launched from: a workspace judged as a whole, and a cohort drawn from its list.

use super::launch::Plan;
use super::starts::Allocations;
use crate::model::{Customer, Segment};
use crate::rules::lints::one_line;
use crate::rules::{Severity, draw};
use crate::workspace::{Ready, Unusable, Workspace};
use std::sync::Arc;

/// Unusable rows that are kept one by one; beyond that they are counted.
const REJECTS_KEPT: usize = 100_000;

/// Warnings that are shown before a launch.
const WARNINGS_SHOWN: usize = 50;

/// Who is drawn.
#[derive(Clone, Debug)]
pub struct Draw {
    /// At most so many.
    pub limit: usize,
    /// Fixes the draw.
    pub seed: u64,
    /// Of these segments; empty: of all.
    pub segments: Vec<Segment>,
}

impl Plan {
    /// Reads and judges the workspace, streams the list, draws the cohort. Errors name file, line and column.
    pub fn read(workspace: &Workspace, draw: &Draw, speed: f64) -> Result<Self, Unusable> {
        let ready = workspace.ready()?;
        let mut list = workspace.list(&ready.config)?;
        let (mut listed, mut rejects, mut unkept) = (0_u64, Vec::new(), 0_u64);
        let mut survey = ready.survey();
        let usable = list.by_ref().filter_map(|row| match row {
            Ok(customer) => {
                listed += 1;
                survey.see(&customer);
                Some(customer)
            }
            Err(reject) if rejects.len() < REJECTS_KEPT => {
                rejects.push((reject.line, reject.code.to_owned(), reject.reason.clone()));
                None
            }
            Err(_) => {
                unkept += 1;
                None
            }
        });
        let customers: Vec<Customer> = draw_cohort(usable, draw);
        let mut problems = survey.finish();
        problems.extend(list.warnings().iter().cloned());
        if let Some(segment) = draw.segments.iter().find(|s| !customers.iter().any(|c| c.segment == **s)) {
            return Err(Unusable::NobodyIn(segment.screen()));
        }
        if unkept > 0 {
            rejects.push((
                0,
                "more".into(),
                format!("{unkept} more rows could not be used; see `cascade check`"),
            ));
        }
        let errors = problems.iter().filter(|p| p.severity == Severity::Error).map(one_line);
        let nobody = customers.is_empty().then(|| nobody(&rejects));
        let blocked = errors.chain(nobody).collect();
        let warnings = ready.warnings.iter().chain(&problems).filter(|p| p.severity == Severity::Warning);
        let warnings = warnings.map(one_line).take(WARNINGS_SHOWN).collect();
        let plan = Self::bare(workspace, draw, speed, ready);
        let plan = Self { customers, listed, rejects, warnings, blocked, ..plan };
        let allocations = plan.unlearnt();
        Ok(Self { allocations, ..plan })
    }

    /// Rules and texts for those in flight, where the list of the next launch is of no use: that launch is refused for
    /// `why`, and nothing else is.
    pub fn without_list(workspace: &Workspace, draw: &Draw, speed: f64, why: &str) -> Result<Self, Unusable> {
        let ready = workspace.ready_without_list()?;
        let warnings = ready.warnings.iter().filter(|p| p.severity == Severity::Warning).map(one_line);
        let next = format!(
            "the next launch is refused: {}; once that is mended, save again or start again",
            crate::model::clean(why)
        );
        let warnings = std::iter::once(next).chain(warnings).take(WARNINGS_SHOWN).collect();
        let plan = Self::bare(workspace, draw, speed, ready);
        Ok(Self { warnings, blocked: vec![crate::model::clean(why)], ..plan })
    }

    fn bare(workspace: &Workspace, draw: &Draw, speed: f64, ready: Ready) -> Self {
        Self {
            customers: Vec::new(),
            listed: 0,
            rejects: Vec::new(),
            warnings: Vec::new(),
            blocked: Vec::new(),
            seed: draw.seed,
            speed,
            rules_commit: workspace.rules_commit(),
            // The longest that a local listener's address can be; the real one is put in once it is known.
            links_base: "http://127.0.0.1:65535/l".into(),
            content: Arc::new(ready.content.clone()),
            allocations: Allocations::new(),
            ready,
        }
    }
}

/// Why a list is of no use, with its first row's fault.
fn nobody(rejects: &[(u64, String, String)]) -> String {
    let first = rejects.first().map_or_else(
        || "it has no rows".to_owned(),
        |(line, _, reason)| format!("line {line}: {}", crate::model::clean(reason)),
    );
    format!("nobody in the customer list can be contacted ({first}); `cascade check` lists every row")
}

fn draw_cohort(usable: impl Iterator<Item = Customer>, wanted: &Draw) -> Vec<Customer> {
    draw(usable, wanted.limit, wanted.seed, &wanted.segments)
}
