//! PROVIDERS.md 4.5: how a Vapi call that reached no person ended, by `endedReason`. Ends that are no failure
//! stand in `providers::vapi::heard`. First match wins, so the narrow patterns stand above the wide ones.

use super::About::{Account, Person, Sender};
use super::{Row, maybe, no};
use crate::model::Class::{Config, Outage, Recipient, Throttle};

/// Every documented failure, and families for the rest of the 600.
pub const VAPI: &[Row] = &[
    no(
        &["twilio-reported-customer-misdialed"],
        "not a valid number",
        Recipient,
        Person,
        "Correct the number; the cascade goes on by itself.",
    ),
    no(
        &["*outbound-sip-404-*", "*outbound-sip-484-*", "*outbound-sip-604-*"],
        "number does not exist",
        Recipient,
        Person,
        "Correct the number; the cascade goes on by itself.",
    ),
    no(
        &["call.start.error-subscription-concurrency-limit-reached"],
        "no line free",
        Throttle,
        Account,
        "Lower concurrent of [phone], or buy lines; the queue goes on by itself.",
    ),
    no(
        &["call.start.error-vapi-number-outbound-daily-limit"],
        "number's daily limit",
        Throttle,
        Sender,
        "Import an own number at Vapi; the limit ends with the day.",
    ),
    no(
        &[
            "call.start.error-subscription-frozen",
            "call.start.error-subscription-insufficient-credits",
            "call.start.error-subscription-wallet-does-not-exist",
            "call.start.error-subscription-upgrade-failed",
            "call.start.error-fraud-check-failed",
        ],
        "Vapi billing",
        Config,
        Account,
        "Fix the billing, or contact Vapi; held people go on then.",
    ),
    no(
        &["call.start.error-vapi-number-international"],
        "free number cannot call abroad",
        Config,
        Sender,
        "Import an own number at Vapi; held people go on then.",
    ),
    no(
        &[
            "call.start.error-get-assistant",
            "call.start.error-get-phone-number",
            "call.start.error-get-customer",
            "call.start.error-get-resources-validation",
            "call.start.error-enterprise-*",
            "call.start.assistant-version-error-validation",
            "call-start-error-neither-assistant-nor-server-set",
            "assistant-not-found",
            "assistant-not-valid",
            "assistant-request-*",
        ],
        "ids or assistant wrong",
        Config,
        Account,
        "Check phone_number_id and the agent's text in voice.md; held people go on then.",
    ),
    no(
        &[
            "*outbound-sip-403-forbidden",
            "*outbound-sip-407-proxy-authentication-required",
            "vonage-rejected",
        ],
        "trunk refused the call",
        Config,
        Sender,
        "Fix the trunk's credentials, access list or caller id; held people go on then.",
    ),
    maybe(
        &[
            "*outbound-sip-5*",
            "twilio-failed-to-connect-call",
            "vonage-failed-to-connect-call",
            "vonage-disconnected",
            "call.in-progress.error-sip-outbound-call-failed-to-connect",
        ],
        "carrier fault",
        Outage,
        Sender,
        "Nothing to mend if it is rare, else check the trunk; the cascade goes on to the next step by itself.",
    ),
    maybe(
        &["*vapifault*", "worker-shutdown"],
        "Vapi fault",
        Outage,
        Account,
        "Check Vapi's status page; the cascade goes on to the next step by itself.",
    ),
    no(
        &["*-401-*", "*-403-*"],
        "model, voice or transcriber key refused",
        Config,
        Account,
        "Check the keys of model, voice and transcriber at Vapi; held people go on then.",
    ),
    no(
        &["*-429-*", "*quota*"],
        "model, voice or transcriber quota",
        Outage,
        Account,
        "Raise the quota of model, voice or transcriber at Vapi; the cascade goes on by itself.",
    ),
    maybe(
        &[
            "*providerfault*",
            "phone-call-provider-closed-websocket",
            "phone-call-provider-bypass-*",
            "assistant-join-timed-out",
            "call.start.error-get-transport",
        ],
        "call provider fault",
        Outage,
        Account,
        "Check Vapi's status page; the cascade goes on to the next step by itself.",
    ),
    no(
        &[
            "pipeline-error-*",
            "*pipeline-no-available*",
            "*error-pipeline*",
            "*-llm-failed",
            "*-voice-failed",
            "*-transcriber-failed",
        ],
        "model, voice or transcriber failed",
        Outage,
        Account,
        "Check model, voice and transcriber keys and quota at Vapi; the cascade goes on by itself.",
    ),
];

/// Create calls that Vapi refuses tell no code, only words: what they contain, in lower case, and its row.
pub const VAPI_REFUSALS: &[(&str, Row)] = &[
    (
        "concurren",
        no(
            &[],
            "no line free",
            Throttle,
            Account,
            "Lower concurrent of [phone], or buy lines; it is tried again by itself.",
        ),
    ),
    (
        "daily",
        no(
            &[],
            "number's daily limit",
            Throttle,
            Sender,
            "Import an own number at Vapi; the limit ends with the day.",
        ),
    ),
    (
        "e.164",
        no(
            &[],
            "not a valid number",
            Recipient,
            Person,
            "Correct the number; the cascade goes on by itself.",
        ),
    ),
    (
        "customer.number",
        no(
            &[],
            "not a valid number",
            Recipient,
            Person,
            "Correct the number; the cascade goes on by itself.",
        ),
    ),
    (
        "credit",
        no(&[], "Vapi billing", Config, Account, "Fix the billing, or contact Vapi; held people go on then."),
    ),
];
