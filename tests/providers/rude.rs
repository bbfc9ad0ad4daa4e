//! Connections that break, hang and lie, byte by byte: of every fault it is known whether a byte of the request had
//! left, and by that whether the person may have been contacted.

use crate::wire::{each, http, http_with, refused};
use cascade::model::{Class, Failure, Sent};
use cascade::providers::http::Http;
use futures::StreamExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// What a server does with a connection, in order; at the end it closes it.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Reads so many bytes of the request.
    Read(usize),
    /// Reads the whole request.
    ReadAll,
    Say(&'static [u8]),
    /// Says it for ever.
    SayOn(&'static [u8]),
    /// A chunked body that never ends.
    Endless,
    /// Says it for ever, slowly.
    Drip(&'static [u8]),
    /// Keeps the connection open and does nothing.
    Hang,
    /// Ends it by RST.
    Reset,
}

use Move::{Drip, Endless, Hang, Read, ReadAll, Reset, Say, SayOn};

/// A server that does this with every connection; its address, and how many bytes of requests it has read.
async fn rude(moves: &'static [Move]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(play(socket, moves, Arc::clone(&count)));
        }
    });
    (url, read)
}

async fn play(mut socket: TcpStream, moves: &[Move], read: Arc<AtomicUsize>) {
    for step in moves {
        let done = match step {
            Read(bytes) => {
                let mut buffer = vec![0; *bytes];
                let done = socket.read_exact(&mut buffer).await.map(drop);
                read.fetch_add(*bytes, Ordering::SeqCst);
                done
            }
            ReadAll => {
                read.fetch_add(whole(&mut socket).await, Ordering::SeqCst);
                Ok(())
            }
            Say(words) => socket.write_all(words).await,
            SayOn(words) => say_on(&mut socket, &words.repeat(4096)).await,
            Endless => {
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
                say_on(&mut socket, &[b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat()).await
            }
            Drip(words) => {
                while socket.write_all(words).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(())
            }
            Hang => std::future::pending().await,
            Reset => {
                socket.set_zero_linger().unwrap();
                return;
            }
        };
        // The client has hung up: that was to be expected of it.
        if done.is_err() {
            return;
        }
    }
}

async fn say_on(socket: &mut TcpStream, words: &[u8]) -> std::io::Result<()> {
    loop {
        socket.write_all(words).await?;
    }
}

/// Reads a request to the last byte of its body.
async fn whole(socket: &mut TcpStream) -> usize {
    let mut got = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = socket.read(&mut buffer).await.unwrap_or(0);
        got.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&got).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || body.len() >= length.map_or(0, |n| n.parse().unwrap()) {
            return got.len();
        }
    }
}

/// What all three clients make of it.
async fn told(url: &str, http: &Arc<Http>) -> Vec<(Failure, bool)> {
    let all = each(url, http).into_iter().map(|(client, out)| async move {
        let answer = client.send(&out).await;
        refused(answer)
    });
    futures::future::join_all(all).await
}

/// Code, class, `sent`, and whether a byte of the request may have left.
type Expected = (&'static str, Class, Sent, bool);

const LOST: Expected = ("broken", Class::InDoubt, Sent::Maybe, true);
const LATE: Expected = ("timeout", Class::InDoubt, Sent::Maybe, true);
const UNREADABLE: Expected = ("unreadable", Class::InDoubt, Sent::Maybe, true);

const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

async fn is(name: &str, moves: &'static [Move], http: &Arc<Http>, expected: Expected) {
    let (url, _) = rude(moves).await;
    for (failure, reached) in told(&url, http).await {
        let got = (failure.code.as_str(), failure.class, failure.sent, reached);
        assert_eq!(got, expected, "{name}, {}: {}", failure.provider, failure.detail.raw());
        assert!(!failure.title.is_empty() && failure.remedy.ends_with('.'), "{name}: {failure:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_in_doubt() {
    assert!(JSON.ends_with("\r\n"));
    let cases: &[(&str, &'static [Move])] = &[
        ("closed when the request was read", &[ReadAll]),
        ("closed in the middle of the request", &[Read(60)]),
        ("reset in the middle of the request", &[Read(60), Reset]),
        ("reset when the request was read", &[ReadAll, Reset]),
        ("closed in the middle of the status line", &[ReadAll, Say(b"HTTP/1.1 20")]),
        ("closed in the middle of the head", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Le")]),
        ("another protocol", &[ReadAll, Say(b"220 mail.example.test ESMTP\r\n")]),
        ("a status that is none", &[ReadAll, Say(b"HTTP/1.1 abc OK\r\n\r\n")]),
        (
            "two lengths",
            &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")],
        ),
        ("a head without end", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\n"), SayOn(b"X: y\r\n")]),
    ];
    let http = http();
    for (name, moves) in cases {
        is(name, moves, &http, LOST).await;
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_in_doubt() {
    let cases: &[(&str, &'static [Move])] = &[
        ("before the body was taken", &[Hang]),
        ("in the middle of it", &[Read(60), Hang]),
        ("after it was taken", &[ReadAll, Hang]),
        ("after a head that is only begun", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\n"), Hang]),
        ("after a hundred-continue", &[ReadAll, Say(b"HTTP/1.1 100 Continue\r\n\r\n"), Hang]),
    ];
    let impatient = http_with(Duration::from_millis(300));
    let all = cases.iter().map(|(name, moves)| is(name, moves, &impatient, LATE));
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn an_answer_that_is_half_there_is_in_doubt() {
    let cases: &[(&str, &'static [Move])] = &[
        ("the head alone", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")]),
        (
            "half of the body",
            &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"messages\":[{\"id\":\"wam")],
        ),
        (
            "half of the body, then reset",
            &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"sid\":\"SM"), Reset],
        ),
        (
            "less announced than there is",
            &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"id\":\"019a\",\"sid\":\"SM1\"}")],
        ),
        (
            "chunks that are none",
            &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")],
        ),
        (
            "chunks that end too early",
            &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n")],
        ),
        ("garbled", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\xff\xfe\x00{\x01")]),
        ("no body at all", &[ReadAll, Say(b"HTTP/1.1 204 No Content\r\n\r\n")]),
        ("without end", &[ReadAll, Endless]),
    ];
    let http = http();
    for (name, moves) in cases {
        is(name, moves, &http, UNREADABLE).await;
    }
    let impatient = http_with(Duration::from_millis(300));
    let slow: &[(&str, &'static [Move])] = &[
        ("the head, then nothing", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"), Hang]),
        ("drop by drop", &[ReadAll, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{"), Drip(b" ")]),
    ];
    futures::stream::iter(slow)
        .for_each_concurrent(None, |(name, moves)| is(name, moves, &impatient, UNREADABLE))
        .await;
}

#[tokio::test]
async fn a_fault_is_in_doubt_however_little_of_it_arrives() {
    let http = http();
    let half: &'static [Move] =
        &[ReadAll, Say(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 90\r\n\r\n<html>")];
    is("half a 502", half, &http, ("502", Class::InDoubt, Sent::Maybe, true)).await;
    let head: &'static [Move] =
        &[ReadAll, Say(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 90\r\n\r\n")];
    is("the head of a 503", head, &http, ("503", Class::InDoubt, Sent::Maybe, true)).await;
}

#[tokio::test]
async fn a_refusal_is_certain_however_it_arrives() {
    let http = http();
    // What it refused is not known: that shuts nothing and burns nobody.
    let cut: &'static [Move] =
        &[ReadAll, Say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 90\r\n\r\n{\"error\":{\"co")];
    is("half a 400", cut, &http, ("400", Class::Outage, Sent::No, true)).await;
    let cut: &'static [Move] =
        &[ReadAll, Say(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 90\r\n\r\n{\"er")];
    is("half a 401", cut, &http, ("401", Class::Config, Sent::No, true)).await;
    // Before the request was read, and the connection closed under it.
    let early: &'static [Move] =
        &[Read(60), Say(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n")];
    let (url, _) = rude(early).await;
    for (failure, reached) in told(&url, &http).await {
        let got = (failure.code.as_str(), failure.class, failure.sent, reached);
        assert_eq!(got, ("429", Class::Throttle, Sent::No, true), "{}", failure.provider);
        assert_eq!(failure.retry_after_s, Some(9));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_at_once_is_certain_only_if_nothing_was_read() {
    for _ in 0..10 {
        let (url, read) = rude(&[Reset]).await;
        for (failure, reached) in told(&url, &http()).await {
            let (sent, class) = (failure.sent, failure.class);
            match failure.code.as_str() {
                "closed" => assert_eq!((sent, class, reached), (Sent::No, Class::Outage, false)),
                "broken" => assert_eq!((sent, class, reached), (Sent::Maybe, Class::InDoubt, true)),
                other => panic!("{other}: {failure:?}"),
            }
        }
        assert_eq!(read.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_certainly_not_sent() {
    // A full backlog: the system answers no further knock.
    let busy = TcpSocket::new_v4().unwrap();
    busy.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let busy = busy.listen(1).unwrap();
    let addr = busy.local_addr().unwrap();
    let mut open = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(addr)).await
    {
        open.push(stream);
        assert!(open.len() < 100, "this system has no full backlog");
    }
    for (failure, reached) in told(&format!("http://{addr}"), &http_with(Duration::from_millis(300))).await {
        let got = (failure.code.as_str(), failure.class, failure.sent, reached);
        assert_eq!(got, ("connect_timeout", Class::Outage, Sent::No, false), "{failure:?}");
    }
}
