//! Which customers the cohort pane lists, and in what order: `status:open segment:retail sort:due bo`.

use crate::engine;
use crate::engine::event::End;
use crate::engine::order::Deed;
use crate::engine::snapshot::{Place, Row, Sending};
use crate::model::{At, Channel, PersonId};
use crate::runtime::handle::{PersonCard, Picture};
use std::collections::HashMap;

/// Words that `status:` takes, for the hint under the filter line.
pub const STATUSES: &str = "open ended running waiting sending retrying queued deferred held in_doubt settling \
                            converted declined exhausted opted_out stopped failed after_answer";
/// What can be filtered by.
pub const KEYS: &str = "status: segment: channel: code: can: version: sort:";
/// Words that `sort:` takes.
pub const SORTS: &str = "due name segment status last cost id";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    Id,
    Due,
    Name,
    Segment,
    Status,
    Last,
    Cost,
}

/// A filter line, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    status: Vec<String>,
    segment: Vec<String>,
    channel: Vec<Channel>,
    code: Vec<String>,
    can: Vec<Deed>,
    /// Versions of the campaign's rules and texts, as [`Row::under`] has them.
    versions: u64,
    words: Vec<String>,
    sort: Sort,
    /// What could not be read: said in the pane, never silently ignored.
    pub problem: Option<String>,
    /// The last part that is not applied: a mistake, or a word that is only begun.
    pub unread: Option<String>,
}

impl Filter {
    /// Reads a filter line. Several values of one key are alternatives; different keys must all hold.
    pub fn parse(line: &str) -> Self {
        let mut filter = Self::default();
        for token in line.split_whitespace() {
            let lower = token.to_lowercase();
            match lower.split_once(':') {
                Some(("status", word)) if is_status(word) => filter.status.push(word.to_owned()),
                Some(("status", word))
                    if STATUSES.split_whitespace().any(|known| known.starts_with(word)) =>
                {
                    filter.unread = Some(lower.clone());
                }
                Some(("status", word)) => filter.problem = Some(format!("no status `{word}`; {STATUSES}")),
                Some(("segment", word)) => filter.segment.push(word.to_owned()),
                Some(("channel", word)) => match channel(word) {
                    Some(channel) => filter.channel.push(channel),
                    None => filter.problem = Some(format!("no channel `{word}`")),
                },
                Some(("code", word)) => filter.code.push(word.to_owned()),
                Some(("version", "")) => filter.unread = Some(lower.clone()),
                Some(("version", word)) => match word.parse::<u32>() {
                    Ok(number) if number > 0 => filter.versions |= engine::bit(number - 1),
                    _ => {
                        filter.problem =
                            Some(format!("no version `{word}`; 1 is the launch's, and each save's the next"));
                    }
                },
                Some(("can", word)) => filter.read_can(word, &lower),
                Some(("sort", word)) => match sort(word) {
                    Some(sort) => filter.sort = sort,
                    // Another order lists nobody else.
                    None if SORTS.split_whitespace().any(|known| known.starts_with(word)) => {}
                    None => filter.problem = Some(format!("no sort `{word}`; {SORTS}")),
                },
                Some((key, _)) if key.chars().all(char::is_alphabetic) && !key.is_empty() => {
                    filter.problem = Some(format!("no filter `{key}:`; {KEYS}"));
                }
                Some(_) | None => filter.words.push(lower.clone()),
            }
            if filter.problem.is_some() && filter.unread.is_none() {
                filter.unread = Some(lower);
            }
        }
        filter
    }

    /// Whoever an operator can have this done for.
    fn read_can(&mut self, word: &str, token: &str) {
        if let Some(deed) = Deed::parse(word) {
            return self.can.push(deed);
        }
        self.unread = Some(token.to_owned());
        let known: Vec<_> = Deed::ALL.iter().map(|deed| deed.as_str()).collect();
        if !known.iter().any(|deed| deed.starts_with(word)) {
            self.problem = Some(format!("nobody can `{word}`; {}", known.join(" ")));
        }
    }

    fn keeps(&self, row: &Row, people: &HashMap<PersonId, PersonCard>) -> bool {
        let any = |list: &[String], holds: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|word| holds(word))
        };
        if !any(&self.status, &|word| has_status(row, word)) {
            return false;
        }
        if self.versions != 0 && row.under & self.versions == 0 {
            return false;
        }
        if !self.channel.is_empty() && !self.channel.contains(&row.channel) {
            return false;
        }
        let code = |word: &str| row.failure.as_ref().is_some_and(|f| f.code.to_lowercase().starts_with(word));
        if !any(&self.code, &code) {
            return false;
        }
        if !self.can.is_empty() && !self.can.iter().any(|deed| row.may(*deed).is_ok()) {
            return false;
        }
        let card = people.get(&row.person);
        let segment = card.map_or_else(|| row.segment.screen(), |c| c.segment.clone()).to_lowercase();
        if !any(&self.segment, &|word| segment.starts_with(word)) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        let Some(card) = card else { return false };
        let phone = card.phone.as_ref().map_or("", |p| p.as_str());
        let text = format!("{} {phone}", card.name.to_lowercase());
        self.words.iter().all(|word| text.contains(word.as_str()))
    }

    /// Positions in the snapshot's rows, filtered and sorted; ties keep the order of ids.
    pub fn index(&self, picture: &Picture) -> Vec<usize> {
        let rows = &picture.snapshot.rows;
        let people = &picture.people;
        let mut index: Vec<usize> = (0..rows.len()).filter(|&i| self.keeps(&rows[i], people)).collect();
        let name = |i: usize| people.get(&rows[i].person).map(|c| c.name.to_lowercase());
        match self.sort {
            Sort::Id => {}
            Sort::Due => index.sort_by_key(|&i| rows[i].next.map_or(At(i64::MAX), |(at, _)| at)),
            Sort::Name => index.sort_by_cached_key(|&i| name(i)),
            Sort::Segment => index.sort_by_cached_key(|&i| rows[i].segment.clone()),
            Sort::Status => index.sort_by_key(|&i| rank(&rows[i].place)),
            Sort::Last => {
                index.sort_by_key(|&i| {
                    std::cmp::Reverse(rows[i].last.as_ref().map_or(At(i64::MIN), |l| l.at))
                });
            }
            Sort::Cost => index.sort_by_key(|&i| std::cmp::Reverse(rows[i].cost)),
        }
        index
    }
}

fn is_status(word: &str) -> bool {
    STATUSES.split_whitespace().any(|known| known == word)
}

fn channel(word: &str) -> Option<Channel> {
    Channel::parse(word).or(match word {
        "wa" => Some(Channel::Whatsapp),
        "call" => Some(Channel::Phone),
        "mail" | "e-mail" => Some(Channel::Email),
        _ => None,
    })
}

fn sort(word: &str) -> Option<Sort> {
    match word {
        "id" => Some(Sort::Id),
        "due" => Some(Sort::Due),
        "name" => Some(Sort::Name),
        "segment" => Some(Sort::Segment),
        "status" => Some(Sort::Status),
        "last" => Some(Sort::Last),
        "cost" => Some(Sort::Cost),
        _ => None,
    }
}

/// Who needs a person first, who is over last.
const fn rank(place: &Place) -> u8 {
    match place {
        Place::Held(_) => 0,
        Place::InDoubt => 1,
        Place::Retrying(_) => 2,
        Place::Sending(Sending::Talking) => 3,
        Place::Sending(_) => 4,
        Place::Queued => 5,
        Place::Deferred(_) => 6,
        Place::Waiting => 7,
        Place::Settling => 8,
        Place::Ended(_, _) => 9,
    }
}

fn has_status(row: &Row, word: &str) -> bool {
    let own = match &row.place {
        Place::Queued => "queued",
        Place::Sending(_) => "sending",
        Place::Retrying(_) => "retrying",
        Place::Deferred(_) => "deferred",
        Place::Waiting => "waiting",
        Place::Held(_) => "held",
        Place::InDoubt => "in_doubt",
        Place::Settling => "settling",
        Place::Ended(end, _) => match end {
            End::Converted => "converted",
            End::Declined => "declined",
            End::Exhausted => "exhausted",
            End::OptedOut => "opted_out",
            End::Stopped => "stopped",
        },
    };
    let ended = matches!(row.place, Place::Ended(..));
    match word {
        "open" => !ended,
        "ended" => ended,
        "running" => !ended && !matches!(row.place, Place::Held(_) | Place::InDoubt),
        "failed" => row.failure.is_some(),
        "after_answer" => row.after_answer,
        word => own == word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(Filter::parse("status:opne").problem.unwrap().contains("opne"));
        assert!(Filter::parse("channel:fax").problem.unwrap().contains("fax"));
        assert!(Filter::parse("sort:luck").problem.unwrap().contains("luck"));
        let problem = Filter::parse("status:doubt").problem.unwrap();
        assert!(problem.contains("doubt") && problem.contains("in_doubt"), "{problem}");
        let found = Filter::parse("segmnt:smb");
        assert!(found.problem.unwrap().contains("segment:"));
        assert_eq!(found.unread.as_deref(), Some("segmnt:smb"));
    }

    /// It lists more than it says, and that is remembered.
    #[test]
    fn a_word_being_typed_filters_nothing_yet() {
        for line in ["status:op", "status:", "can:re"] {
            assert_eq!(Filter::parse(line), Filter { unread: Some(line.into()), ..Filter::default() });
        }
        assert_eq!(Filter::parse("sort:d"), Filter::default());
        assert_eq!(Filter::parse("status:hled bo").unread.as_deref(), Some("status:hled"));
        assert_eq!(Filter::parse("status:held can:retry code:429 bo").unread, None);
    }
}
