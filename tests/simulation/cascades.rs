//! The rules that campaigns run under, those they are changed to, and their waits as the oracle reads them.

use cascade::model::Channel;

/// Rules files, short and long ones.
pub const RULES: [&str; 4] = [
    r#"{"start":"whatsapp","conversion_window":"30m","steps":[
        {"channel":"whatsapp","wait":"20m","if_no_reply":"phone"},
        {"channel":"phone","wait":"10m","if_no_answer":"sms"},
        {"channel":"sms","wait":null,"terminal":true}]}"#,
    r#"{"start":"sms","conversion_window":"45m","steps":[
        {"channel":"sms","wait":"25m","if_no_reply":"whatsapp"},
        {"channel":"whatsapp","wait":"15m","if_no_reply":"phone"},
        {"channel":"phone","wait":null,"terminal":true}]}"#,
    r#"{"start":"phone","conversion_window":"20m","retry":{"max":2},"steps":[
        {"channel":"phone","wait":"40m","attempts":3,"if_no_answer":"sms"},
        {"channel":"sms","wait":null,"terminal":true}]}"#,
    r#"{"start":"whatsapp","steps":[
        {"channel":"whatsapp","wait":"6h","if_no_reply":"phone"},
        {"channel":"phone","wait":"2h","if_no_answer":"sms"},
        {"channel":"sms","wait":null,"terminal":true}]}"#,
];

/// Rules that an operator changes them to while people are in flight.
pub const EDITS: [&str; 5] = [
    r#"{"start":"whatsapp","conversion_window":"30m","steps":[
        {"channel":"whatsapp","wait":"8m","if_no_reply":"phone"},
        {"channel":"phone","wait":"4m","if_no_answer":"sms"},
        {"channel":"sms","wait":null,"terminal":true}]}"#,
    r#"{"start":"whatsapp","conversion_window":"30m","steps":[
        {"channel":"whatsapp","wait":"50m","if_no_reply":"phone"},
        {"channel":"phone","wait":"30m","if_no_answer":"sms"},
        {"channel":"sms","wait":null,"terminal":true}]}"#,
    r#"{"start":"sms","conversion_window":"20m","steps":[
        {"channel":"sms","wait":"12m","if_no_reply":"whatsapp"},
        {"channel":"whatsapp","wait":null,"terminal":true}]}"#,
    r#"{"start":"phone","conversion_window":"45m","retry":{"max":3},"steps":[
        {"channel":"phone","wait":"20m","attempts":2,"if_no_answer":"whatsapp"},
        {"channel":"whatsapp","wait":"30m","if_no_reply":"sms"},
        {"channel":"sms","wait":null,"terminal":true}]}"#,
    r#"{"start":"whatsapp","steps":[{"channel":"whatsapp","wait":null,"terminal":true}]}"#,
];

/// The shortest of their waits on WhatsApp, the phone and by SMS, in minutes, where they are not last; 0 where a channel is
/// not among them.
pub const EDITS_WAIT_MIN: [[i64; 3]; 5] =
    [[8, 4, 240], [50, 30, 240], [240, 0, 12], [30, 20, 240], [240, 0, 0]];

/// Their waits, as the oracle reads them, in minutes; several calls are made within theirs.
pub const WAITS_MIN: [&[i64]; 4] = [&[20, 10], &[25, 15], &[40], &[360, 120]];

/// And on which channel each of those is.
pub const CHANNELS: [&[Channel]; 4] = [
    &[Channel::Whatsapp, Channel::Phone],
    &[Channel::Sms, Channel::Whatsapp],
    &[Channel::Phone],
    &[Channel::Whatsapp, Channel::Phone],
];
