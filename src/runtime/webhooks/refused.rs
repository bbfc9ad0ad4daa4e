//! Webhooks that nobody signed, or somebody wrongly: refused, and told. They may be the provider's own, with a secret
//! that is not ours; then we are deaf.

use super::Inbox;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Whose address this is.
fn provider(path: &str) -> Option<&'static str> {
    match path.strip_prefix("/hooks/")? {
        "whatsapp" => Some("whatsapp"),
        "vapi" => Some("vapi"),
        "twilio/status" | "twilio/inbound" => Some("twilio"),
        _ => None,
    }
}

/// Tells the inbox of every report that was not believed.
pub(super) async fn tell(State(inbox): State<Arc<dyn Inbox>>, request: Request, next: Next) -> Response {
    let of = provider(request.uri().path()).filter(|_| request.method() == Method::POST);
    let answer = next.run(request).await;
    if let (Some(provider), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) = (of, answer.status()) {
        inbox.disbelieved(provider);
    }
    answer
}
