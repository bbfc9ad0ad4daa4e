//! Pages over the panes: each makes its lines, this file scrolls and frames them.

use super::{
    Ctx, Drawn, blocks, editor, failures, learning, lists, messages, orders, person, review, versions,
};
use crate::tui::keys::{self, Cmd, Place};
use crate::tui::model::{Page, What};
use crate::tui::text::{left, width, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

/// Draws the page; answers how far it can scroll.
pub fn draw(ctx: &Ctx, page: &Page, area: Rect, frame: &mut Frame) -> Drawn {
    match page.what {
        What::Editor => return editor::draw(ctx, area, frame),
        What::Review => return review::draw(ctx, page.at, area, frame),
        What::Learning(view) => return learning::draw(ctx, view, page, area, frame),
        _ => {}
    }
    let title = Span::styled(format!(" {} ", title(ctx, &page.what)), ctx.theme.title);
    let hint = Line::styled(" Esc goes back ", ctx.theme.muted).right_aligned();
    let block = ctx.block(vec![title], true).title_top(hint);
    let inner = block.inner(area);
    let (lines, more) = match list(ctx, page, inner.width as usize) {
        Some(list) => windowed(list, page, inner),
        None => scrolled(ctx, page, inner),
    };
    frame.render_widget(Paragraph::new(lines), inner);
    frame.render_widget(foot(ctx, block, more), area);
    Drawn { scroll_max: more.most, ..Drawn::default() }
}

/// How far something scrolls, how much of it is below the window, and which key shows that.
#[derive(Clone, Copy, Debug)]
pub struct More {
    /// Furthest.
    pub most: usize,
    /// Lines below.
    pub hidden: usize,
    /// Goes there.
    pub by: Cmd,
}

/// The frame of a page, with what is below the window on it.
pub fn foot<'b>(ctx: &Ctx, block: Block<'b>, more: More) -> Block<'b> {
    match blocks::more(more.hidden, more.by) {
        Some(words) => block.title_bottom(Line::styled(words, ctx.theme.accent).right_aligned()),
        None => block,
    }
}

/// A list: its heads, which stay, how many entries it has, and how each is made.
type List<'a, 'c> = (Option<Line<'a>>, usize, Box<dyn Fn(usize) -> Vec<Line<'a>> + 'c>);

/// The pages that are lists.
fn list<'a, 'c>(ctx: &'c Ctx, page: &'c Page, cells: usize) -> Option<List<'a, 'c>> {
    let (picture, at) = (ctx.picture, page.at);
    let list: List = match &page.what {
        What::Failures => {
            let count = picture.snapshot.failures.len();
            (
                Some(failures::head(ctx, cells)),
                count,
                Box::new(move |i| failures::row(ctx, i, i == at, cells)),
            )
        }
        What::Inbox => (
            Some(lists::head(ctx)),
            picture.inbox.len(),
            Box::new(move |i| lists::item(ctx, i, i == at, cells)),
        ),
        What::Versions => {
            let count = ctx.model.history.versions.as_ref().map_or(0, Vec::len);
            (
                Some(versions::head(ctx, cells)),
                count,
                Box::new(move |i| versions::row(ctx, i, i == at, cells)),
            )
        }
        What::Orders => {
            let count = picture.audit.orders().len();
            (Some(orders::head(ctx, cells)), count, Box::new(move |i| orders::row(ctx, i, i == at, cells)))
        }
        What::Order(campaign, order) => {
            let order = (*campaign, *order);
            let count = ctx.model.account(order.0, order.1).map_or(0, |account| account.items.len());
            (None, count, Box::new(move |i| orders::entry(ctx, order, (i, i == at), cells)))
        }
        What::Messages => {
            let count = ctx.model.notices.count();
            (None, count, Box::new(move |i| messages::message(ctx, i, i == at, cells)))
        }
        _ => return None,
    };
    Some(list)
}

/// What is seen of a list. One that is empty says so in its first entry.
fn windowed<'a>((head, count, make): List<'a, '_>, page: &Page, inner: Rect) -> (Vec<Line<'a>>, More) {
    let head = head.filter(|_| count > 0);
    let room = (inner.height as usize).saturating_sub(usize::from(head.is_some()));
    let blocks::Window { lines, most } = blocks::around(count.max(1), page, room, make);
    let more = More { most, hidden: most.saturating_sub(page.skip), by: Cmd::Down };
    (head.into_iter().chain(lines).collect(), more)
}

/// What is seen of a page that merely scrolls.
fn scrolled<'a>(ctx: &Ctx, page: &Page, inner: Rect) -> (Vec<Line<'a>>, More) {
    let (cells, height) = (inner.width as usize, inner.height as usize);
    let lines = match &page.what {
        What::Person { cascade, history, .. } => person::lines(ctx, *cascade, history.as_deref(), cells),
        What::Failure(channel, code, scope) => failures::one(ctx, *channel, code, scope, cells),
        What::Breaker(channel, scope) => failures::breaker(ctx, *channel, scope, cells),
        What::Help(places) => help(ctx, places, cells),
        What::Version(key) => versions::one(ctx, key, cells),
        _ => Vec::new(),
    };
    let most = lines.len().saturating_sub(height);
    let top = page.at.min(most);
    let visible: Vec<Line> = lines.into_iter().skip(top).take(height).collect();
    (visible, More { most, hidden: most - top, by: Cmd::PageDown })
}

fn title(ctx: &Ctx, what: &What) -> String {
    match what {
        What::Orders => "Orders, newest first".to_owned(),
        What::Order(campaign, order) => ctx.model.account(*campaign, *order).map_or_else(
            || "An order".to_owned(),
            |account| format!("Order {order}: {}", crate::phrases::orders::ask(account.what)),
        ),
        What::Person { cascade, .. } => ctx.model.name(*cascade),
        What::Failures => "Failures by cause".to_owned(),
        What::Failure(channel, code, _) => format!("{} {}", channel.label(), crate::model::clean(code)),
        What::Breaker(channel, scope) => {
            format!("{} {} is shut", channel.label(), crate::model::clean(&scope.to_string()))
        }
        What::Inbox => "Inbox, newest first".to_owned(),
        What::Editor | What::Review | What::Learning(_) => String::new(),
        What::Versions => "History: versions that ran, newest first".to_owned(),
        What::Version(key) => format!("Rules {}", crate::phrases::retimed::short(&key.rules)),
        What::Messages => "Messages, newest first".to_owned(),
        What::Help(_) => "Keys of this place".to_owned(),
    }
}

/// Made from the command table: every command that applies, once.
fn help<'a>(ctx: &Ctx, places: &[Place], cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    // In a narrow window the sentence says what the label would.
    let labelled = cells >= 76;
    let mut shown: Vec<Place> = places.iter().copied().rev().collect();
    shown.extend(
        [
            Place::Line,
            Place::Ladder,
            Place::Editor,
            Place::Review,
            Place::Versions,
            Place::Person,
            Place::Learning,
            Place::Actions,
            Place::Question,
            Place::Order,
            Place::Resume,
            Place::Unsaved,
        ]
        .iter()
        .filter(|p| !places.contains(p)),
    );
    for place in shown {
        lines.push(Line::styled(place.title().to_uppercase(), ctx.theme.strong));
        for row in keys::applying(&[place]) {
            let keys = if row.keys.is_empty() { format!(":{}", row.id) } else { row.keys.join(" ") };
            let label = if labelled { left(row.label, 24) } else { String::new() };
            let indent = if labelled { 20 + 24 } else { 20 };
            let mut help = wrap(row.help, cells.saturating_sub(indent).max(20)).into_iter();
            lines.push(Line::from(vec![
                Span::styled(left(&format!("  {keys}"), 20), ctx.theme.key),
                Span::styled(label, ctx.theme.text),
                Span::styled(help.next().unwrap_or_default(), ctx.theme.muted),
            ]));
            lines.extend(
                help.map(|more| Line::styled(format!("{}{more}", " ".repeat(indent)), ctx.theme.muted)),
            );
        }
        lines.push(Line::default());
    }
    let mouse = "The mouse: click focuses and selects, double click opens, the wheel scrolls. `:mouse` gives it back.";
    lines.extend(wrap(mouse, cells).into_iter().map(|line| Line::styled(line, ctx.theme.muted)));
    lines
}

/// `label  text`, the text wrapped beside its label.
pub fn fact<'a>(ctx: &Ctx, label: &str, text: &str, cells: usize) -> Vec<Line<'a>> {
    const LABEL: usize = 14;
    wrap(text, cells.saturating_sub(LABEL + 2).max(10))
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let label = if i == 0 { label } else { "" };
            Line::from(vec![
                Span::styled(left(&format!("  {label}"), LABEL + 2), ctx.theme.muted),
                Span::styled(text, ctx.theme.text),
            ])
        })
        .collect()
}

/// A heading with a rule behind it.
pub fn heading<'a>(ctx: &Ctx, text: &str, cells: usize) -> Line<'a> {
    let rest = cells.saturating_sub(width(text) + 3);
    Line::from(vec![
        Span::styled(format!("  {text} "), ctx.theme.strong),
        Span::styled("─".repeat(rest), ctx.theme.faint),
    ])
}
