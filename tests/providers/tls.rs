//! Faults of the encryption: in each of them no byte of the request has left.

use crate::wire::{each, http, http_with, refused};
use cascade::model::{Class, Sent};
use cascade::providers::http::Http;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A server that does this with each connection, in a thread of its own.
fn server(play: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(play));
    url
}

async fn is(url: &str, http: &Arc<Http>, code: &str) {
    for (client, out) in each(url, http) {
        let (failure, reached) = refused(client.send(&out).await);
        let got = (failure.code.as_str(), failure.class, failure.sent, reached);
        assert_eq!(got, (code, Class::Outage, Sent::No, false), "{}", failure.detail.raw());
        assert!(!failure.detail.raw().contains("token"), "{}", failure.detail.raw());
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    cascade::providers::http::tls_ready();
    let certificate = include_bytes!("../data/nobody.cert.der").to_vec().into();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(include_bytes!("../data/nobody.key.der").to_vec());
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key.into()).unwrap());
    let read = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&read);
    let url = server(move |mut socket| {
        let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut request = Vec::new();
        // The client breaks off; whatever it had said by then would stand here.
        let _ = rustls::Stream::new(&mut tls, &mut socket).read_to_end(&mut request);
        seen.lock().unwrap().extend(request);
    });
    is(&url, &http(), "tls").await;
    assert!(read.lock().unwrap().is_empty(), "a request went to somebody whom nobody vouches for");
}

#[tokio::test]
async fn plain_text_where_encryption_is_expected() {
    let url = server(|mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let _ = socket.read(&mut [0; 4096]);
    });
    is(&url, &http(), "tls").await;
}

#[tokio::test]
async fn a_handshake_that_hangs_or_breaks() {
    let url = server(std::mem::forget);
    is(&url, &http_with(Duration::from_millis(300)), "connect_timeout").await;
    let url = server(drop);
    is(&url, &http(), "connect").await;
}
