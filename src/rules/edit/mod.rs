//! Changes of the rules as an operator thinks of them (a wait, a start, the order, a segment of its own), made in the
//! text of the file: whatever a change is not about stays byte for byte, notes and layout too.
//!
//! Each function takes the file's text and gives the new one. A text with errors in it is not edited, and no edit
//! leads to one: the result is read again before it is given.

mod object;
mod order;

pub use order::set_order;

use super::{Ladder, Problem, Rules, Severity, parse};
use crate::model::{Channel, Segment};
use object::{ObjectText, quoted};
use std::ops::Range;
use std::path::Path;

/// Named in the problems; the caller knows which file it is editing.
const FILE: &str = "rules/cascade.json";

/// The new text, or why there is none.
pub type Edited = Result<String, Box<Problem>>;

/// Sets how long the step on `channel` waits. Without `segment`: the main steps. A segment that shares the main steps
/// gets its own first.
///
/// The last step of the chain waits for nothing: how long it waits where a customer starts with it is
/// [`set_wait_if_first`].
pub fn set_wait(text: &str, segment: Option<&str>, channel: Channel, wait: &str) -> Edited {
    step(text, segment, channel, |step, is_last| {
        if is_last {
            let message = format!("{channel} is the end of the chain and waits for nothing");
            let hint = "change \"wait_if_first\" of this step, or \"conversion_window\"";
            return Err(refusal("wait-on-end", message, hint));
        }
        step.set("wait", &quoted(wait), "channel");
        Ok(())
    })
}

/// Sets how long the step on `channel` waits where its own wait is null and it is not last.
pub fn set_wait_if_first(text: &str, segment: Option<&str>, channel: Channel, wait: &str) -> Edited {
    step(text, segment, channel, |step, _| {
        step.set("wait_if_first", &quoted(wait), "wait");
        Ok(())
    })
}

/// Sets the channel that comes first; the chain stays, so that everything else follows in its order.
pub fn set_start(text: &str, segment: Option<&str>, channel: Channel) -> Edited {
    let file = File::open(text)?;
    let place = file.ladder(segment)?;
    let start = object(file.body, &place)?.get("start").ok_or_else(lost)?;
    let at = place.start + start.value.start..place.start + start.value.end;
    file.with(at, &quoted(channel.as_str()))
}

/// Sets the share of cascades whose start is drawn at random.
pub fn set_explore(text: &str, share: f64) -> Edited {
    let file = File::open(text)?;
    let mut root = file.root();
    root.set("explore", &share.to_string(), "start");
    let at = file.root_at();
    file.with(at..at + file.root().0.len(), &root.0)
}

/// Gives a segment a start of its own; its steps stay the main ones.
pub fn split_segment(text: &str, name: &str, start: Channel) -> Edited {
    let file = File::open(text)?;
    let name = name.trim();
    if name.is_empty() {
        let hint = "write the name that the customer list uses";
        return Err(refusal("empty-name", "a segment without a name".into(), hint));
    }
    if file.rules.segments.contains_key(&Segment(name.to_owned())) {
        let message = format!("segment \"{name}\" has rules of its own already");
        return Err(refusal("given-twice", message, "change those"));
    }
    let entry = format!("{}: {{ \"start\": {} }}", quoted(name), quoted(start.as_str()));
    let root = file.root();
    let Some(segments) = root.get("segments") else {
        let last = root.props().pop().ok_or_else(lost)?;
        let at = file.root_at() + last.whole.end;
        return file.with(at..at, &format!(",\n  \"segments\": {{\n    {entry} }}"));
    };
    let at = file.root_at() + segments.value.start;
    let segments = ObjectText(root.0.get(segments.value).unwrap_or_default().to_owned());
    match segments.props().last() {
        Some(last) => {
            let end = at + last.whole.end;
            let joint = if segments.0.contains('\n') {
                format!(",\n{}", indent_of(file.body, at + last.whole.start))
            } else {
                ", ".to_owned()
            };
            file.with(end..end, &format!("{joint}{entry}"))
        }
        None => file.with(at..at + segments.0.len(), &format!("{{\n    {entry} }}")),
    }
}

/// Gives a segment a copy of the main steps, to be changed by themselves; one that has its own stays as it is.
pub fn own_steps(text: &str, name: &str) -> Edited {
    let file = File::open(text)?;
    let place = file.ladder(Some(name))?;
    let segment = object(file.body, &place)?;
    if segment.get("steps").is_some() {
        return Ok(text.to_owned());
    }
    let root = file.root();
    let steps = root.get("steps").ok_or_else(lost)?;
    let from = file.root_at() + steps.whole.start;
    let copied = root.0.get(steps.value).unwrap_or_default();
    let (old, new) = (indent_of(file.body, from).len(), indent_of(file.body, place.start).len() + 2);
    let at = place.start + segment.get("start").ok_or_else(lost)?.whole.end;
    let indent = " ".repeat(new);
    file.with(at..at, &format!(",\n{indent}\"steps\": {}", set_in(copied, old, new)))
}

/// Takes a segment's own steps out: it has the main ones again, from its own start.
pub fn share_steps(text: &str, name: &str) -> Edited {
    let file = File::open(text)?;
    let place = file.ladder(Some(name))?;
    let mut segment = object(file.body, &place)?;
    segment.remove("steps");
    file.with(place, &segment.0)
}

/// Takes a segment out: its customers do what everybody does.
pub fn remove_segment(text: &str, name: &str) -> Edited {
    let file = File::open(text)?;
    file.ladder(Some(name))?;
    let mut root = file.root();
    let segments = root.get("segments").ok_or_else(lost)?;
    let mut kept = ObjectText(root.0.get(segments.value.clone()).unwrap_or_default().to_owned());
    let written = kept.props().into_iter().find(|p| p.name.trim() == name.trim()).ok_or_else(lost)?;
    kept.remove(&written.name);
    if kept.props().is_empty() {
        root.remove("segments");
    } else {
        root.0.replace_range(segments.value, &kept.0);
    }
    let at = file.root_at();
    file.with(at..at + file.root().0.len(), &root.0)
}

/// Changes the step on `channel`; the change is told whether it is the last of the chain.
fn step(
    text: &str,
    segment: Option<&str>,
    channel: Channel,
    change: impl Fn(&mut ObjectText, bool) -> Result<(), Box<Problem>>,
) -> Edited {
    let text = &with_own_steps(text, segment)?;
    let file = File::open(text)?;
    let ladder = file.rules_of(segment)?;
    let is_last = ladder.steps.last().is_some_and(|s| s.channel == channel);
    for place in file.steps(segment)? {
        let mut step = object(file.body, &place)?;
        if is_on(&step, channel) {
            change(&mut step, is_last)?;
            return file.with(place, &step.0);
        }
    }
    let there: Vec<&str> = ladder.channels().map(Channel::as_str).collect();
    let hint = format!("use one of: {}", there.join(", "));
    Err(refusal("no-such-step", format!("there is no step for {channel}"), hint))
}

/// The text, in which a segment that is named has steps of its own.
fn with_own_steps(text: &str, segment: Option<&str>) -> Edited {
    segment.map_or_else(|| Ok(text.to_owned()), |name| own_steps(text, name))
}

fn is_on(step: &ObjectText, channel: Channel) -> bool {
    let said = step.value("channel").and_then(|raw| serde_json::from_str::<String>(raw).ok());
    said.is_some_and(|said| said == channel.as_str())
}

/// A file without errors, and its text.
struct File<'t> {
    /// Without the byte order mark.
    body: &'t str,
    mark: &'static str,
    rules: Rules,
}

impl<'t> File<'t> {
    fn open(text: &'t str) -> Result<Self, Box<Problem>> {
        let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
        Ok(Self { body, mark, rules: sound(body)? })
    }

    fn root_at(&self) -> usize {
        self.body.len() - self.body.trim_start().len()
    }

    fn root(&self) -> ObjectText {
        ObjectText(self.body.trim().to_owned())
    }

    /// Where the object stands that holds this ladder's start: the root, or a segment's entry.
    fn ladder(&self, segment: Option<&str>) -> Result<Range<usize>, Box<Problem>> {
        let (root, at) = (self.root(), self.root_at());
        let Some(name) = segment.map(str::trim) else { return Ok(at..at + root.0.len()) };
        let unknown = || {
            let known: Vec<&str> = self.rules.segments.keys().map(|s| s.0.as_str()).collect();
            let hint = if known.is_empty() {
                "split it off first".to_owned()
            } else {
                format!("split it off first, or use one of: {}", known.join(", "))
            };
            let message = format!("segment \"{}\" has no rules of its own", crate::model::clean(name));
            refusal("no-such-segment", message, hint)
        };
        let segments = root.get("segments").ok_or_else(unknown)?;
        let inner = ObjectText(root.0.get(segments.value.clone()).unwrap_or_default().to_owned());
        let written = inner.props().into_iter().find(|p| p.name.trim() == name).ok_or_else(unknown)?;
        let at = at + segments.value.start;
        Ok(at + written.value.start..at + written.value.end)
    }

    fn rules_of(&self, segment: Option<&str>) -> Result<&Ladder, Box<Problem>> {
        match segment {
            None => Ok(&self.rules.main),
            Some(name) => self.rules.segments.get(&Segment(name.trim().to_owned())).ok_or_else(lost),
        }
    }

    /// Where the steps of a ladder stand that has its own, in the order of the file.
    fn steps(&self, segment: Option<&str>) -> Result<Vec<Range<usize>>, Box<Problem>> {
        let place = self.ladder(segment)?;
        let steps = object(self.body, &place)?.get("steps").ok_or_else(lost)?;
        let list = place.start + steps.value.start..place.start + steps.value.end;
        let text = self.body.get(list.clone()).unwrap_or_default();
        Ok(object::elements(text).into_iter().map(|e| list.start + e.start..list.start + e.end).collect())
    }

    /// The text with one place changed, read again.
    fn with(&self, at: Range<usize>, new: &str) -> Edited {
        let mut body = self.body.to_owned();
        // New lines end as those of the file do; what is put back has its own ends.
        let windows = body.contains("\r\n");
        let new = if windows { &new.replace("\r\n", "\n").replace('\n', "\r\n") } else { new };
        body.replace_range(at, new);
        sound(&body)?;
        Ok(format!("{}{body}", self.mark))
    }
}

fn object(body: &str, place: &Range<usize>) -> Result<ObjectText, Box<Problem>> {
    body.get(place.clone()).map(|text| ObjectText(text.to_owned())).ok_or_else(lost)
}

/// The rules, or the first error.
fn sound(body: &str) -> Result<Rules, Box<Problem>> {
    let (rules, problems) = parse(Path::new(FILE), body.as_bytes());
    let error = || problems.into_iter().find(|p| p.severity == Severity::Error);
    rules.ok_or_else(|| error().map_or_else(lost, Box::new))
}

#[expect(clippy::unnecessary_box_returns, reason = "every edit returns its error in a box: it is large")]
fn refusal(code: &'static str, message: String, hint: impl Into<String>) -> Box<Problem> {
    let file = FILE.into();
    Box::new(Problem {
        severity: Severity::Error,
        file,
        line: 1,
        column: 1,
        code,
        message,
        hint: hint.into(),
    })
}

/// The text and the rules read from it do not agree, which is a fault of this program.
#[expect(clippy::unnecessary_box_returns, reason = "every edit returns its error in a box: it is large")]
fn lost() -> Box<Problem> {
    refusal("edit", "this place was not found in the text".into(), "edit the JSON by hand")
}

/// The spaces at the head of the line in which a byte stands.
fn indent_of(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(start..at).unwrap_or_default();
    &line[..line.len() - line.trim_start().len()]
}

/// Moves every line but the first from one indent to another.
fn set_in(text: &str, old: usize, new: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i == 0 {
            out.push_str(line);
            continue;
        }
        let words = line.trim_start_matches(' ');
        let had = line.len() - words.len();
        out.push('\n');
        if !words.trim().is_empty() {
            out.extend(std::iter::repeat_n(' ', (had + new).saturating_sub(old)));
        }
        out.push_str(words);
    }
    out
}
