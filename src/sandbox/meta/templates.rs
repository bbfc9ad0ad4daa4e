//! Templates: created by the client, approved at once, paused in the rarest language (PROVIDERS.md 1.13).

use super::super::people::Draw;
use super::super::wire::{Call, Reply};
use super::super::world::World;
use super::error;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A template in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Template {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) language: String,
    pub(super) category: String,
    pub(super) components: Vec<Value>,
    pub(super) paused: bool,
}

impl Template {
    /// As failures name it, and as it is kept.
    pub(super) fn key(name: &str, language: &str) -> String {
        format!("{name}/{language}")
    }

    /// The component of this type (`BODY`, `HEADER`, `BUTTONS`), in any case.
    pub(super) fn component(&self, kind: &str) -> Option<&Value> {
        self.components.iter().find(|c| c["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind)))
    }

    /// Its buttons, in order.
    pub(super) fn buttons(&self) -> &[Value] {
        let buttons = self.component("BUTTONS").and_then(|c| c["buttons"].as_array());
        buttons.map(Vec::as_slice).unwrap_or_default()
    }

    fn shown(&self) -> Value {
        let status = if self.paused { "PAUSED" } else { "APPROVED" };
        json!({"id": self.id, "name": self.name, "language": self.language, "status": status,
            "category": self.category, "components": self.components,
            "quality_score": {"score": if self.paused { "RED" } else { "GREEN" }}})
    }
}

/// How many different variables a text has: `{{1}}`, `{{first_name}}`.
pub(super) fn variables(text: &str) -> usize {
    let mut names = std::collections::BTreeSet::new();
    for part in text.split("{{").skip(1) {
        if let Some((name, _)) = part.split_once("}}") {
            names.insert(name.trim());
        }
    }
    names.len()
}

/// `POST /{version}/{WABA}/message_templates`
pub(super) fn create(world: &mut World, call: &Call) -> Reply {
    let text =
        |key: &str| call.json[key].as_str().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let (Some(name), Some(language), Some(category)) = (text("name"), text("language"), text("category"))
    else {
        return error(100, "name, language and category are required");
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > 512 || !name.chars().all(plain) {
        return error(100, "a template's name has lower-case letters, digits and underscores only");
    }
    if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&category.to_uppercase().as_str()) {
        return error(100, "category must be one of AUTHENTICATION, MARKETING, UTILITY");
    }
    let components = call.json["components"].as_array().cloned().unwrap_or_default();
    let key = Template::key(&name, &language);
    let id = format!("{}", Draw::new(world.seed, &key, "template").bits("id") >> 8);
    let template =
        Template { id, name, language, category: category.to_uppercase(), components, paused: false };
    if template.component("BODY").is_none_or(|body| body["text"].as_str().is_none_or(str::is_empty)) {
        return error(100, "a template needs a BODY component with text");
    }
    if world.templates.contains_key(&key) {
        let mut reply = error(100, "there is already content for this template in this language");
        reply.body["error"]["error_subcode"] = json!(2_388_024);
        return reply;
    }
    let body = json!({"id": template.id, "status": "APPROVED", "category": template.category});
    world.keep("template", &key, &template);
    world.templates.insert(key, template);
    Reply::ok(200, body)
}

/// `GET /{version}/{WABA}/message_templates?name=&language=&status=&limit=&after=`
pub(super) fn list(world: &World, call: &Call) -> Reply {
    let limit = call.query("limit").and_then(|l| l.parse().ok()).unwrap_or(25_usize).clamp(1, 1000);
    let from = call.query("after").and_then(|a| a.parse().ok()).unwrap_or(0_usize);
    let fits = |t: &&Template| {
        let status = if t.paused { "PAUSED" } else { "APPROVED" };
        call.query("name").is_none_or(|name| t.name.contains(name))
            && call.query("language").is_none_or(|language| t.language == language)
            && call.query("status").is_none_or(|wanted| wanted.eq_ignore_ascii_case(status))
    };
    let all: Vec<&Template> = world.templates.values().filter(fits).collect();
    let page: Vec<Value> = all.iter().skip(from).take(limit).map(|t| t.shown()).collect();
    let after = from + page.len();
    let mut paging = json!({"cursors": {"before": from.to_string(), "after": after.to_string()}});
    if after < all.len() {
        paging["next"] = json!(format!("{}{}?after={after}&limit={limit}", world.url(), call.path));
    }
    Reply::ok(200, json!({"data": page, "paging": paging}))
}
