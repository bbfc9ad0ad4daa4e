//! Answers that are no answer: faults, redirects, throttles, and bodies that cannot be read.

use crate::wire::{call, raw, refused, template, text, twilio, vapi, whatsapp};
use cascade::model::{Class, Sent};
use cascade::providers::Provider as _;
use tokio::net::TcpSocket;

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_in_doubt() {
    for body in ["", "<html>", "{}", r#"{"messages":[]}"#, r#"{"messages":[{"id":7}]}"#] {
        let server = raw(vec![(200, Vec::new(), body.to_owned())]).await;
        let (failure, reached) = refused(whatsapp(&server.url).send(&template()).await);
        assert_eq!((failure.class, failure.sent), (Class::InDoubt, Sent::Maybe), "{body}");
        assert_eq!((failure.code.as_str(), reached), ("unreadable", true));
    }
    let server = raw(vec![(200, Vec::new(), "ok".to_owned())]).await;
    assert_eq!(refused(vapi(&server.url).send(&call()).await).0.class, Class::InDoubt);
    let server = raw(vec![(201, Vec::new(), "ok".to_owned())]).await;
    assert_eq!(refused(twilio(&server.url, None).send(&text()).await).0.class, Class::InDoubt);
}

#[tokio::test]
async fn retry_after_is_kept_as_seconds_or_date() {
    let date = |seconds: &str| format!("Thu, 24 Aug 2023 05:01:{seconds} GMT");
    for (headers, wait) in [
        (vec![("retry-after", "7".to_owned())], Some(7)),
        (vec![("retry-after", date("45")), ("date", date("15"))], Some(30)),
        (vec![("retry-after", date("15")), ("date", date("45"))], None),
        (vec![("retry-after", date("45"))], None),
        (
            vec![("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT".to_owned()), ("date", date("15"))],
            Some(251_709_447_524),
        ),
        (vec![("retry-after", " 0 ".to_owned())], Some(0)),
        (vec![("retry-after", u64::MAX.to_string())], Some(u64::MAX)),
        (vec![("retry-after", "99999999999999999999".to_owned())], None),
        (vec![("retry-after", "-5".to_owned())], None),
        (vec![("retry-after", "soon".to_owned())], None),
        (vec![], None),
    ] {
        let server = raw(vec![(429, headers, r#"{"code":20429,"message":"Too many"}"#.to_owned())]).await;
        let (failure, reached) = refused(twilio(&server.url, None).send(&text()).await);
        assert_eq!((failure.class, failure.sent, reached), (Class::Throttle, Sent::No, true));
        assert_eq!(failure.retry_after_s, wait);
    }
}

#[tokio::test]
async fn a_connection_that_was_never_made_is_certainly_not_sent() {
    // Bound and never listening: nobody else can take the port, and every connection is refused.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    for answer in [
        whatsapp(&url).send(&template()).await,
        vapi(&url).send(&call()).await,
        twilio(&url, None).send(&text()).await,
    ] {
        let (failure, reached) = refused(answer);
        assert_eq!((failure.class, failure.sent, reached), (Class::Outage, Sent::No, false));
    }
}

#[tokio::test]
async fn a_rehearsal_never_leaves_this_machine() {
    for url in ["https://graph.facebook.com", "http://192.0.2.1:9", "http://example.test"] {
        let (failure, reached) = refused(whatsapp(url).send(&template()).await);
        assert_eq!((failure.code.as_str(), failure.class), ("refused_address", Class::Config), "{url}");
        assert_eq!((failure.sent, reached), (Sent::No, false));
    }
}

#[tokio::test]
async fn faults_and_redirects() {
    for status in [500, 502, 503, 504] {
        let server = raw(vec![(status, Vec::new(), "Bad gateway".to_owned())]).await;
        let (failure, _) = refused(vapi(&server.url).send(&call()).await);
        assert_eq!((failure.class, failure.sent), (Class::InDoubt, Sent::Maybe), "{status}");
        assert_eq!(
            (failure.code.as_str(), failure.detail.raw()),
            (status.to_string().as_str(), "Bad gateway")
        );
    }
    let server = raw(vec![(307, vec![("location", "http://127.0.0.1:1/".to_owned())], String::new())]).await;
    let (failure, _) = refused(vapi(&server.url).send(&call()).await);
    assert_eq!((failure.code.as_str(), failure.class, failure.sent), ("307", Class::Config, Sent::No));
    assert_eq!(server.asked().len(), 1, "not followed");
}
