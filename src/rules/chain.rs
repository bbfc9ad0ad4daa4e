//! Checks that the pointers of the steps form one chain over all of them, and puts them in its order.

use super::Step;
use super::report::Report;
use super::steps::{Draft, Pointer};
use crate::model::Channel;

/// The steps in the order of the chain; those out of reach, which are reported, come last.
///
/// `start` is where to look first if the chain has no beginning: in a loop every step has one before it.
pub(super) fn order(report: &mut Report<'_>, drafts: Vec<Draft>, start: Option<Channel>) -> Vec<Step> {
    let doubled = check_doubled(report, &drafts);
    let broken = check_pointers(report, &drafts);
    check_ends(report, &drafts);
    let chain = Chain { drafts: &drafts };
    let mut seen = vec![false; drafts.len()];
    let walked = chain.walk(report, chain.head(start), &mut seen);
    // A pointer that leads nowhere, or a channel nobody could read, leaves what follows it out of reach;
    // saying so would bury the one mistake under its consequences.
    let whole = !broken && drafts.iter().all(|d| d.channel.is_some());
    for i in 0..drafts.len() {
        let lost = !seen[i] && !doubled.contains(&i);
        if lost && !chain.in_loop(i, report, &mut seen) && whole {
            chain.report_unreachable(report, i);
        }
    }
    let order: Vec<usize> = walked.into_iter().chain(0..drafts.len()).collect();
    let mut steps: Vec<Option<Step>> = drafts.into_iter().map(|d| d.step).collect();
    order.into_iter().filter_map(|i| steps.get_mut(i).and_then(Option::take)).collect()
}

/// Each channel stands at most once. Gives the steps that repeat one.
fn check_doubled(report: &mut Report<'_>, drafts: &[Draft]) -> Vec<usize> {
    let mut doubled = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        let Some((channel, at)) = draft.channel else { continue };
        let first = drafts[..i].iter().find_map(|d| d.channel.filter(|(c, _)| *c == channel));
        if let Some((_, first)) = first {
            let (line, _) = report.place(first);
            let message = format!("{channel} is there twice, first on line {line}");
            report.error(at, "doubled-channel", message, "each channel stands at most once; remove one");
            doubled.push(i);
        }
    }
    doubled
}

/// Each pointer leads to a step. Whether any does not. While a channel could not be read it may be the one
/// that is missed, and nothing is said.
fn check_pointers(report: &mut Report<'_>, drafts: &[Draft]) -> bool {
    let all_read = drafts.iter().all(|d| d.channel.is_some());
    let mut broken = false;
    for draft in drafts {
        match draft.pointer {
            Pointer::None => {}
            Pointer::Wrong => broken = true,
            Pointer::To(to, at) => {
                let there = drafts.iter().any(|d| d.channel.is_some_and(|(c, _)| c == to));
                if !there && all_read {
                    let message = format!("this leads to {to}, and there is no step for {to}");
                    report.error(at, "no-such-step", message, no_such_step_hint(drafts, to));
                }
                broken |= !there;
            }
        }
    }
    broken
}

/// What to do about a pointer or a start without a step.
pub(super) fn no_such_step_hint(drafts: &[Draft], to: Channel) -> String {
    let there: Vec<&str> = drafts.iter().filter_map(|d| d.channel.map(|(c, _)| c.as_str())).collect();
    format!("add a step for {to}, or use one of: {}", there.join(", "))
}

/// Exactly the end of the chain carries `terminal: true`.
fn check_ends(report: &mut Report<'_>, drafts: &[Draft]) {
    for draft in drafts {
        let name = draft.channel.map_or_else(|| "this step".to_owned(), |(c, _)| c.to_string());
        match (draft.pointer, draft.terminal) {
            (Pointer::None, Some((true, _)))
            | (Pointer::To(..) | Pointer::Wrong, None | Some((false, _))) => {}
            (Pointer::None, said) => {
                let message = format!("no end: {name} leads nowhere and does not say \"terminal\": true");
                let hint = "write \"terminal\": true here, or say what comes next";
                report.error(said.map_or(draft.at, |(_, at)| at), "no-end", message, hint);
            }
            (Pointer::To(..) | Pointer::Wrong, Some((true, at))) => {
                let message = format!("{name} is terminal and leads on all the same");
                report.error(at, "terminal-leads-on", message, "remove \"terminal\", or remove the pointer");
            }
        }
    }
}

struct Chain<'d> {
    drafts: &'d [Draft],
}

impl Chain<'_> {
    fn step_of(&self, channel: Channel) -> Option<usize> {
        self.drafts.iter().position(|d| d.channel.is_some_and(|(c, _)| c == channel))
    }

    fn after(&self, i: usize) -> Option<(usize, usize)> {
        match self.drafts.get(i)?.pointer {
            Pointer::To(to, at) => self.step_of(to).map(|next| (next, at)),
            Pointer::None | Pointer::Wrong => None,
        }
    }

    fn before(&self, i: usize) -> Option<usize> {
        (0..self.drafts.len()).find(|&j| self.after(j).is_some_and(|(next, _)| next == i))
    }

    /// The beginning of the chain that `start` is in. In a loop: `start` itself.
    fn head(&self, start: Option<Channel>) -> usize {
        let start = start.and_then(|c| self.step_of(c)).unwrap_or(0);
        let mut head = start;
        let mut walked = vec![false; self.drafts.len()];
        while let Some(before) = self.before(head) {
            walked[head] = true;
            if walked[before] {
                return start;
            }
            head = before;
        }
        head
    }

    /// Follows the pointers from `from`; a way back is reported at the pointer that closes the loop.
    fn walk(&self, report: &mut Report<'_>, from: usize, seen: &mut [bool]) -> Vec<usize> {
        let mut walked = vec![from];
        seen[from] = true;
        let mut here = from;
        while let Some((next, at)) = self.after(here) {
            if walked.contains(&next) {
                self.report_loop(report, &walked, next, at);
                break;
            }
            seen[next] = true;
            walked.push(next);
            here = next;
        }
        walked
    }

    /// Whether the pointers from `from` lead back to it; then the loop is reported and marked as seen.
    fn in_loop(&self, from: usize, report: &mut Report<'_>, seen: &mut [bool]) -> bool {
        let mut here = from;
        for _ in 0..self.drafts.len() {
            match self.after(here) {
                Some((next, _)) if next == from => {
                    self.walk(report, from, seen);
                    return true;
                }
                Some((next, _)) => here = next,
                None => return false,
            }
        }
        false
    }

    fn name(&self, i: usize) -> &'static str {
        self.drafts.get(i).and_then(|d| d.channel).map_or("?", |(c, _)| c.as_str())
    }

    fn report_loop(&self, report: &mut Report<'_>, walked: &[usize], back_to: usize, at: usize) {
        let round = walked.iter().skip_while(|&&i| i != back_to).chain(std::iter::once(&back_to));
        let names: Vec<&str> = round.map(|&i| self.name(i)).collect();
        let message = format!("a loop: {}", names.join(" › "));
        report.error(at, "loop", message, "end the chain with \"terminal\": true in place of this pointer");
    }

    fn report_unreachable(&self, report: &mut Report<'_>, i: usize) {
        let Some(draft) = self.drafts.get(i) else { return };
        let at = draft.channel.map_or(draft.at, |(_, at)| at);
        let message = format!("{} is unreachable: the chain from the start never leads there", self.name(i));
        report.error(at, "unreachable", message, "let another step lead there, or remove this one");
    }
}
