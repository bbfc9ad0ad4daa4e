//! The listener: bounded connections, bounded heads, a tidy end.

use super::callers::{Caller, Callers, Limits};
use axum::Router;
use futures::future::{BoxFuture, FutureExt as _};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Largest head of a request, in bytes; a larger one is 431.
const HEAD_MAX: usize = 64 * 1024;

/// For requests under way to be committed when we stop.
const GRACE: Duration = Duration::from_secs(5);

/// After an `accept` that failed (no file handles left), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// [`serve_within`] the usual limits.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send) {
    serve_within(Limits::default(), listener, router, shutdown).await;
}

/// Serves until `shutdown` resolves, then lets requests under way finish for at most 5 s.
pub async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    let callers = Callers::new(limits);
    let open = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    // How long anybody may take is counted by `callers`, which knows who proved what.
    http.header_read_timeout(None).max_buf_size(HEAD_MAX);
    tokio::pin!(shutdown);
    for number in 0.. {
        let next = async {
            let (socket, _) = listener.accept().await?;
            Ok::<_, io::Error>((socket, callers.admit(number).await))
        };
        let accepted = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        let Ok((socket, place)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let line = Line { socket, caller: place.caller.clone() };
        let callers = Arc::clone(&callers);
        let inner = TowerToHyperService::new(router.clone());
        let service = Answering { inner, caller: place.caller.clone(), callers: Arc::clone(&callers) };
        let connection = open.watch(http.serve_connection(TokioIo::new(line), service));
        tokio::spawn(async move {
            tokio::select! {
                // A caller who hangs up is the caller's affair; what was taken is committed.
                _ = connection => {}
                () = place.caller.overdue(callers.limits()) => {}
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, open.shutdown()).await.is_err() {
        tracing::warn!("webhooks under way did not finish in time; their providers send them again");
    }
}

type Asked = axum::http::Request<Incoming>;
type Answered = Result<axum::response::Response, Infallible>;

/// The routes, with the caller beside each request and its standing kept.
struct Answering {
    inner: TowerToHyperService<Router>,
    caller: Caller,
    callers: Arc<Callers>,
}

impl Service<Asked> for Answering {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Answered>;

    fn call(&self, mut request: Asked) -> Self::Future {
        self.caller.asked();
        request.extensions_mut().insert(self.caller.clone());
        let answer = self.inner.call(request);
        let (caller, callers) = (self.caller.clone(), Arc::clone(&self.callers));
        async move {
            let answer = answer.await;
            caller.answered();
            callers.look_again();
            answer
        }
        .boxed()
    }
}

/// A connection whose caller is noticed when bytes come.
#[derive(Debug)]
struct Line {
    socket: TcpStream,
    caller: Caller,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.caller.spoke();
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
