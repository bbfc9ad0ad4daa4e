//! A live trial on this machine: the sandbox is told what is entered by hand in the dashboards of the real providers, and
//! the operator what to write into `cascade.toml` and the environment.

use super::{Failure, output};
use crate::config::{self, Config};
use crate::model::Mode;
use crate::providers::{http, whatsapp::Whatsapp};
use crate::rules::Severity;
use crate::rules::content::Content;
use crate::runtime::{BootError, tell_webhooks};
use crate::workspace::{Unusable, Workspace};
use serde_json::Value;
use std::net::SocketAddr;

/// Prepares the sandbox that answers `own` to `GET /sandbox/config` for a workspace that will `listen` there.
pub(super) async fn prepare(own: &Value, workspace: &Workspace, listen: SocketAddr) -> Result<(), Failure> {
    let public_url = format!("http://{listen}");
    let (content, problems) = Content::parse(workspace.content_files());
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Unusable::Problems(problems).into());
    }
    let here =
        Config::rehearsal_defaults().at_sandbox(own).map_err(|e| BootError::OtherSandbox(e.to_string()))?;
    tell_webhooks(&here, &public_url).await?;
    if let Some(template) = &content.whatsapp {
        let account = Whatsapp::new(here.whatsapp, http::client(Mode::Rehearsal));
        let asked = account.ensure_templates(&template.specs(&format!("{public_url}/l"))).await;
        asked.map_err(BootError::SetUp)?;
    }
    for line in settings(own, listen) {
        output::line(&line)?;
    }
    Ok(())
}

/// The providers' sections, where we hear, and the sandbox's secrets, which open nothing else and end with it.
fn settings(own: &Value, listen: SocketAddr) -> Vec<String> {
    let mut lines = vec!["# into cascade.toml, beside mode = \"live\":".to_owned()];
    let mut exports = vec!["# into the environment:".to_owned()];
    for section in ["whatsapp", "phone", "sms"] {
        lines.push(format!("[{section}]"));
        for (key, value) in own.get(section).and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            match config::usual_variable(section, key) {
                Some(variable) => exports.push(format!("export {variable}={value}")),
                None => lines.push(format!("{key} = \"{value}\"")),
            }
        }
    }
    lines.extend(["[webhooks]".to_owned(), format!("listen = \"{listen}\"")]);
    lines.push(format!("public_url = \"http://{listen}\""));
    lines.extend(["[links]".to_owned(), format!("base = \"http://{listen}/l\"")]);
    lines.push("target = \"https://example.com\"".to_owned());
    lines.append(&mut exports);
    lines
}
