//! Beside content: what one customer of the cohort would get, filled in by the very code that sends.

use super::Ctx;
use crate::model::{Channel, Customer, clean};
use crate::providers::{Call, Message, Template};
use crate::rules::content::{Button, Content, ContentFile, Header, Language};
use crate::rules::render::{Context, Link};
use crate::rules::sms::{Encoding, first_outside_gsm7, measure};
use crate::tui::editor::draft::Draft;
use crate::tui::keys::{self, Cmd};
use crate::tui::text::{cut, left, width, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// A link code of the usual length.
const CODE: &str = "AbCdEfGhIjKlMnOpQrStUv";

/// Draws it.
pub fn draw(ctx: &Ctx, draft: &Draft, channel: Channel, area: Rect, frame: &mut Frame) {
    let cells = area.width.saturating_sub(1) as usize;
    let mut lines = Vec::new();
    match &ctx.model.desk.subject {
        Some((_, Some(customer))) => {
            lines.push(whose(ctx, customer, cells));
            lines.push(Line::default());
            lines.extend(filled(ctx, draft, channel, customer, cells));
        }
        Some((_, None)) => {
            lines
                .push(Line::styled(" The selected customer is not in the list any more.", ctx.theme.warning));
        }
        None => lines.push(Line::styled(" The customer list is being read.", ctx.theme.muted)),
    }
    lines.truncate(area.height as usize);
    frame.render_widget(Paragraph::new(lines), area);
}

fn whose<'a>(ctx: &Ctx, customer: &Customer, cells: usize) -> Line<'a> {
    let language = customer.language.as_deref().map(|l| format!(", {}", clean(l))).unwrap_or_default();
    let keys = format!(" {} another ", keys::key(Cmd::NextCustomer));
    let who = format!(" for {}, {}{language}", customer.name.screen(), clean(&customer.segment.0));
    let room = cells.saturating_sub(width(&keys));
    Line::from(vec![Span::styled(left(&who, room), ctx.theme.strong), Span::styled(keys, ctx.theme.muted)])
}

fn filled<'a>(
    ctx: &Ctx,
    draft: &Draft,
    channel: Channel,
    customer: &Customer,
    cells: usize,
) -> Vec<Line<'a>> {
    let file = ContentFile {
        name: draft.file.name().to_owned(),
        path: draft.file.path().into(),
        bytes: draft.text().into_bytes(),
    };
    let (content, _) = Content::parse(vec![file]);
    if !content.has(channel) {
        return says(ctx, "The text has an error; what is wrong stands below it.", cells);
    }
    let base = ctx.model.desk.bench.as_ref().map_or_else(String::new, |bench| bench.links_base());
    let url = format!("{base}/{CODE}");
    let message = |tried: &[Channel]| {
        let link = Link { url: &url, code: CODE };
        content.message(channel, customer, &Context { tried, attempt_key: "att_1", link, validity_s: 3_600 })
    };
    // With sections in it a text differs by what was tried before.
    let first = message(&[]);
    let later = message(Channel::ALL);
    let mut lines = Vec::new();
    let variants = if first == later {
        vec![("", first)]
    } else {
        vec![("as the first contact", first), ("after the other channels", later)]
    };
    for (when, message) in variants {
        if !when.is_empty() {
            lines.push(Line::styled(format!(" {when}"), ctx.theme.muted));
        }
        lines.extend(match message {
            Ok(Message::Template(template)) => whatsapp(ctx, &content, &template, cells),
            Ok(Message::Call(call)) => voice(ctx, &call, cells),
            Ok(Message::Text { body, .. }) => sms(ctx, &body, cells),
            Err(why) => says(ctx, &why.to_string(), cells),
        });
        lines.push(Line::default());
    }
    lines
}

fn says<'a>(ctx: &Ctx, words: &str, cells: usize) -> Vec<Line<'a>> {
    let lines = wrap(&clean(words), cells.saturating_sub(2));
    lines.into_iter().map(|line| Line::styled(format!(" {line}"), ctx.theme.warning)).collect()
}

/// Text in a box, as a phone shows it.
fn bubble<'a>(ctx: &Ctx, parts: &[(String, bool)], cells: usize) -> Vec<Line<'a>> {
    let inner = cells.saturating_sub(6).max(10);
    let edge = |l: &str, r: &str| Line::styled(format!(" {l}{}{r}", "─".repeat(inner + 2)), ctx.theme.border);
    let mut lines = vec![edge("╭", "╮")];
    for (text, strong) in parts {
        let style = if *strong { ctx.theme.strong } else { ctx.theme.text };
        let words = text.lines().flat_map(|line| wrap(&clean(line), inner));
        lines.extend(words.map(|line| {
            Line::from(vec![
                Span::styled(" │ ", ctx.theme.border),
                Span::styled(left(&line, inner), style),
                Span::styled(" │", ctx.theme.border),
            ])
        }));
    }
    lines.push(edge("╰", "╯"));
    lines
}

fn whatsapp<'a>(ctx: &Ctx, content: &Content, template: &Template, cells: usize) -> Vec<Line<'a>> {
    let Some(whatsapp) = &content.whatsapp else { return Vec::new() };
    let Some(language) = whatsapp.languages.iter().find(|l| l.code == template.language) else {
        return Vec::new();
    };
    let others = whatsapp.languages.iter().map(|l| {
        let style = if l.code == template.language { ctx.theme.selection_idle } else { ctx.theme.muted };
        [Span::styled(format!(" {} ", clean(&l.code)), style), Span::raw(" ")]
    });
    let name = format!(" template {} ", clean(&template.name));
    let mut head = vec![Span::styled(name, ctx.theme.muted)];
    head.extend(others.flatten());
    let mut lines = vec![Line::from(head)];
    let mut parts = Vec::new();
    match &language.header {
        Some(Header::Text(text)) => parts.push((with(text, &template.header_text), true)),
        Some(Header::Media { kind, url }) => parts.push((format!("[{kind}] {url}"), true)),
        None => {}
    }
    parts.push((with(&language.body, &template.body), false));
    lines.extend(bubble(ctx, &parts, cells));
    lines.extend(buttons(ctx, language, cells));
    lines
}

fn buttons<'a>(ctx: &Ctx, language: &Language, cells: usize) -> Vec<Line<'a>> {
    let line = |button: &Button| {
        let (glyph, text, what) = match button {
            Button::QuickReply { text, means } => {
                ("↩", text, means.map_or("judged by its words", |means| means.as_str()).to_owned())
            }
            Button::Url { text, .. } if button.is_tracked() => ("↗", text, "a tracked link".to_owned()),
            Button::Url { text, url } => ("↗", text, url.clone()),
        };
        Line::from(vec![
            Span::styled(format!("   {glyph} {}", left(&clean(text), 26)), ctx.theme.accent),
            Span::styled(cut(&clean(&what), cells.saturating_sub(32)), ctx.theme.muted),
        ])
    };
    language.buttons.iter().map(line).collect()
}

/// `{{1}}`, `{{2}}` replaced, in one go: a value's own braces are left alone.
fn with(text: &str, values: &[String]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        out.push_str(&rest[..open]);
        let inner = &rest[open + 2..];
        let close = inner.find("}}").unwrap_or(inner.len());
        let number = inner[..close].trim().parse::<usize>().ok();
        let value = number.and_then(|n| n.checked_sub(1)).and_then(|n| values.get(n));
        out.push_str(value.map_or("", String::as_str));
        rest = inner.get(close + 2..).unwrap_or_default();
    }
    out + rest
}

fn sms<'a>(ctx: &Ctx, body: &str, cells: usize) -> Vec<Line<'a>> {
    let mut lines = bubble(ctx, &[(body.to_owned(), false)], cells);
    let size = measure(body);
    let (one, more, name) = match size.encoding {
        Encoding::Gsm7 => (160, 153, "GSM-7"),
        Encoding::Ucs2 => (70, 67, "UCS-2"),
    };
    let most = if size.segments > 1 { size.segments * more } else { one };
    let many = crate::phrases::counted(u64::from(size.segments), "segment", "segments");
    let style = if size.segments > 1 { ctx.theme.warning } else { ctx.theme.good };
    lines.push(Line::from(vec![
        Span::styled(format!(" {many}"), style),
        Span::styled(format!(" · {} of {most} · {name}", size.units), ctx.theme.muted),
    ]));
    if let Some(odd) = first_outside_gsm7(body) {
        let odd = clean(&odd.to_string());
        lines.extend(says(
            ctx,
            &format!("`{odd}` makes every segment 70 characters short instead of 160."),
            cells,
        ));
    }
    lines
}

fn voice<'a>(ctx: &Ctx, call: &Call, cells: usize) -> Vec<Line<'a>> {
    let mut lines = bubble(ctx, &[(call.first_message.clone(), false)], cells);
    let machine = call.voicemail.as_deref().unwrap_or("hangs up");
    let facts = [
        ("machine", clean(machine)),
        ("longest", crate::phrases::span(i64::from(call.max_duration_s))),
        ("voice", call.voice.as_deref().map_or_else(|| "the provider's own".to_owned(), clean)),
    ];
    for (label, text) in facts {
        lines.push(Line::from(vec![
            Span::styled(format!(" {}", left(label, 9)), ctx.theme.muted),
            Span::styled(cut(&text, cells.saturating_sub(11)), ctx.theme.text),
        ]));
    }
    let prompt = call.prompt.lines().flat_map(|line| wrap(&clean(line), cells.saturating_sub(2)));
    lines.push(Line::styled(" told to the agent", ctx.theme.muted));
    lines.extend(prompt.map(|line| Line::styled(format!(" {line}"), ctx.theme.text)));
    lines
}
