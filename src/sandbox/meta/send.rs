//! The create call for messages: what Meta checks, in its order, and what it then plans (PROVIDERS.md 1.2-1.4).

use super::super::acts::Act;
use super::super::deliver::first_link;
use super::super::ledger::Provider;
use super::super::people::Saying;
use super::super::people::{Text, button_fits, text_times};
use super::super::wire::{Call, Reply};
use super::super::world::World;
use super::templates::{Template, variables};
use super::{Button, Message, Status, error, told};
use crate::model::{At, Channel, Phone};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};

/// Messages a second.
const THROUGHPUT: usize = 80;
/// Messages to one person: this many at once, then one in six seconds.
const PAIR_BURST: f64 = 45.0;
const PAIR_PAUSE_S: f64 = 6.0;

/// What the number's and each person's limits have seen; a restart forgives it.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Limits {
    recent: VecDeque<At>,
    pairs: HashMap<String, (f64, At)>,
}

impl Limits {
    fn too_fast(&mut self, to: &str, at: At) -> Option<u32> {
        while self.recent.front().is_some_and(|first| at - *first >= TimeDelta::seconds(1)) {
            self.recent.pop_front();
        }
        if self.recent.len() >= THROUGHPUT {
            return Some(130_429);
        }
        let (left, since) = self.pairs.get(to).copied().unwrap_or((PAIR_BURST, at));
        let earned = (at - since).num_milliseconds() as f64 / 1000.0 / PAIR_PAUSE_S;
        let left = (left + earned).min(PAIR_BURST);
        if left < 1.0 {
            return Some(131_056);
        }
        self.pairs.insert(to.to_owned(), (left - 1.0, at));
        self.recent.push_back(at);
        None
    }
}

/// `POST /{version}/{phone_number_id}/messages`
pub(super) fn send(world: &mut World, call: &Call) -> Reply {
    let body = &call.json;
    if body["messaging_product"] != "whatsapp" {
        return error(100, "messaging_product must be \"whatsapp\"");
    }
    let Some(to) = call.to().filter(|to| Phone::parse_e164(to).is_some()) else {
        return error(131_009, "the recipient's phone number is missing or malformed: to");
    };
    if body["biz_opaque_callback_data"].as_str().is_some_and(|data| data.chars().count() > 512) {
        return error(100, "biz_opaque_callback_data is longer than 512 characters");
    }
    let message = match body["type"].as_str() {
        Some("template") => template_message(world, call, &to),
        Some("text") => text_message(world, call, &to),
        Some(_) => Err(error(131_051, "this sandbox sends templates and text")),
        None => Err(error(131_008, "type is required")),
    };
    let message = match message {
        Ok(message) => message,
        Err(reply) => return reply,
    };
    if let Some(code) = world.limits.too_fast(&to, call.at) {
        return error(code, "message failed to send because there were too many messages in a short time");
    }
    let plan = world.people.plan(&to);
    if world.has_stopped(Provider::Whatsapp, &to) && message.category == "MARKETING" {
        return error(131_050, "the recipient has chosen to stop marketing messages from this business");
    }
    let draw = world.people.draw(&to, Channel::Whatsapp);
    // The plan is about being addressed; free text only goes on with a talk that has begun.
    let becomes = if message.category == "service" { Text::Silent { read: true } } else { plan.whatsapp };
    let code = match becomes {
        Text::Refused(code) => Some(code),
        // The same fault can come back synchronously or later.
        Text::Failed(131_026) => (draw.unit("synchronous") < 0.25).then_some(131_026),
        Text::Failed(_)
        | Text::Pending
        | Text::Silent { .. }
        | Text::Says(_)
        | Text::Clicks
        | Text::Scanned => None,
    };
    if let Some(code) = code {
        return error(code, "message was not sent to this person");
    }
    let id = format!("wamid.HBgL{}", world.new_id().to_uppercase());
    let times = text_times(&draw, Channel::Whatsapp, plan.pace[Channel::Whatsapp.index()]);
    live(world, call.at, &id, &message, becomes, times);
    world.keep("message", &id, &message);
    world.messages.insert(id.clone(), message);
    let digits = to.trim_start_matches('+');
    let mut sent = json!({"id": id});
    if body["type"] == "template" {
        sent["message_status"] = json!("accepted");
    }
    Reply::ok(
        200,
        json!({"messaging_product": "whatsapp",
        "contacts": [{"input": body["to"], "wa_id": digits}], "messages": [sent]}),
    )
}

/// Plans everything that becomes of a message.
fn live(
    world: &mut World,
    at: At,
    id: &str,
    message: &Message,
    plan: Text,
    times: super::super::people::TextTimes,
) {
    let step = |status, code| Act::WhatsappStatus { message: id.to_owned(), status, code };
    world.plan_in(at, times.sent, step(Status::Sent, None));
    let follow = |url: &String, scanner| Act::Follow {
        provider: Provider::Whatsapp,
        to: message.to.clone(),
        url: url.clone(),
        scanner,
    };
    let answer = |saying| Act::WhatsappReply { message: id.to_owned(), saying };
    let (read, act) = match plan {
        Text::Failed(code) | Text::Refused(code) => {
            return world.plan_in(at, times.delivered, step(Status::Failed, Some(code)));
        }
        Text::Pending => return,
        Text::Silent { read } => (read, None),
        Text::Says(saying) => (true, Some((times.act, answer(saying)))),
        // Without a link there is nothing to click: they write instead.
        Text::Clicks => (
            true,
            Some((times.act, message.link.as_ref().map_or(answer(Saying::Positive), |l| follow(l, false)))),
        ),
        Text::Scanned => (false, message.link.as_ref().map(|link| (times.scan, follow(link, true)))),
    };
    world.plan_in(at, times.delivered, step(Status::Delivered, None));
    if read {
        world.plan_in(at, times.read, step(Status::Read, None));
    }
    if let Some((ms, act)) = act {
        world.plan_in(at, ms, act);
    }
}

fn text_message(world: &World, call: &Call, to: &str) -> Result<Message, Reply> {
    let Some(text) = call.json["text"]["body"].as_str().filter(|text| !text.is_empty()) else {
        return Err(error(131_008, "text.body is required"));
    };
    let open = world.windows.get(to).is_some_and(|since| call.at - *since < TimeDelta::hours(24));
    if !open {
        return Err(error(131_047, "more than 24 hours have passed since the recipient last replied"));
    }
    let link = first_link(text).map(str::to_owned);
    Ok(message(call, to, "service", Vec::new(), link))
}

fn message(call: &Call, to: &str, category: &str, buttons: Vec<Button>, link: Option<String>) -> Message {
    let (to, category) = (to.to_owned(), category.to_owned());
    Message { to, opaque: call.attempt(), category, buttons, link, at: call.at, events: Vec::new() }
}

fn template_message(world: &mut World, call: &Call, to: &str) -> Result<Message, Reply> {
    let wanted = &call.json["template"];
    let (Some(name), Some(language)) = (wanted["name"].as_str(), wanted["language"]["code"].as_str()) else {
        return Err(error(131_008, "template.name and template.language.code are required"));
    };
    let key = Template::key(name, language);
    let Some(template) = world.templates.get(&key).cloned() else {
        return Err(error(132_001, &format!("template name ({name}) does not exist in {language}")));
    };
    let rare = world.people.rare_language().map(str::to_owned);
    if rare.is_some_and(|rare| pauses(world, &template, &rare)) && !template.paused {
        // It goes while it is in use, as in life: nobody sees it before the first send.
        told::pause(world, call.at, &key);
        return Err(error(132_015, "template is paused and cannot be sent until it is unpaused"));
    }
    if template.paused {
        return Err(error(132_015, "template is paused and cannot be sent until it is unpaused"));
    }
    let none = Vec::new();
    let components = wanted["components"].as_array().unwrap_or(&none);
    bound(&template, components)?;
    Ok(message(
        call,
        to,
        &template.category,
        quick_replies(&template, components),
        opens(&template, components),
    ))
}

/// Whether this is the template of the rarest language, with another language to fall back on.
fn pauses(world: &World, template: &Template, rare: &str) -> bool {
    let key = |t: &Template| super::super::people::language_key(&t.language);
    key(template) == rare && world.templates.values().any(|t| t.name == template.name && key(t) != rare)
}

fn is_kind(component: &Value, kind: &str) -> bool {
    component["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind))
}

fn parameters(component: Option<&Value>) -> &[Value] {
    component.and_then(|c| c["parameters"].as_array()).map(Vec::as_slice).unwrap_or_default()
}

/// Every variable has its parameter, and none is left over.
fn bound(template: &Template, components: &[Value]) -> Result<(), Reply> {
    for kind in ["HEADER", "BODY"] {
        let fixed = template.component(kind);
        let format = fixed.and_then(|c| c["format"].as_str()).unwrap_or("TEXT");
        let wants =
            if format == "TEXT" { fixed.and_then(|c| c["text"].as_str()).map_or(0, variables) } else { 1 };
        let given = parameters(components.iter().find(|c| is_kind(c, kind)));
        if given.len() != wants {
            let place = kind.to_lowercase();
            let details = format!("{place}: number of parameters ({}) does not match {wants}", given.len());
            return Err(error(132_000, &details));
        }
        if given.iter().any(|p| p["type"] == "text" && p["text"].as_str().is_none_or(str::is_empty)) {
            return Err(error(131_008, "a text parameter is empty"));
        }
    }
    for (index, button) in template.buttons().iter().enumerate() {
        let wants = button["url"].as_str().is_some_and(|url| variables(url) > 0);
        if wants && parameters(button_part(components, index)).is_empty() {
            return Err(error(131_008, &format!("button at index {index} of type Url requires a parameter")));
        }
    }
    Ok(())
}

/// The component that binds the button at `index`; the index is text, or a number in some of Meta's examples.
fn button_part(components: &[Value], index: usize) -> Option<&Value> {
    components.iter().find(|c| {
        let text = c["index"].as_str().and_then(|i| i.parse::<usize>().ok());
        is_kind(c, "button") && text.or(c["index"].as_u64().map(|i| i as usize)) == Some(index)
    })
}

fn quick_replies(template: &Template, components: &[Value]) -> Vec<Button> {
    let quick = |(index, button): (usize, &Value)| {
        if !is_kind(button, "QUICK_REPLY") {
            return None;
        }
        let caption = button["text"].as_str().unwrap_or_default().to_owned();
        let given = parameters(button_part(components, index)).first();
        // Without a payload Meta sends the caption.
        let payload = given.and_then(|p| p["payload"].as_str()).unwrap_or(&caption).to_owned();
        Some(Button { caption, payload })
    };
    template.buttons().iter().enumerate().filter_map(quick).collect()
}

fn opens(template: &Template, components: &[Value]) -> Option<String> {
    let (index, button) = template.buttons().iter().enumerate().find(|(_, b)| is_kind(b, "URL"))?;
    let url = button["url"].as_str()?;
    let suffix = parameters(button_part(components, index)).first().and_then(|p| p["text"].as_str());
    let fixed = url.split("{{").next().unwrap_or(url);
    Some(format!("{fixed}{}", suffix.unwrap_or_default()))
}

/// The button that says what this person means, if they are one who presses buttons.
pub(super) fn pressed(message: &Message, saying: Saying, presses: bool) -> Option<Button> {
    let fits = |b: &&Button| button_fits(saying, &b.caption, &b.payload);
    message.buttons.iter().find(fits).filter(|_| presses).cloned()
}
