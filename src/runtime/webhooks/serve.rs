//! The listener: bounded connections, bounded headers, a tidy end.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Three webhooks for each of 80 messages a second, and a slow commit; the rest waits in the kernel.
const CONNECTIONS_MAX: usize = 256;

/// For a request's headers to arrive, and for a connection to stay idle.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);

/// For requests under way to be committed when we stop.
const GRACE: Duration = Duration::from_secs(5);

/// After an `accept` that failed (no file handles left), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until `shutdown` resolves, then lets requests under way finish for at most 5 s. Connections above
/// 256 wait for a place.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let open = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(64 * 1024);
    tokio::pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        let (Ok(place), Ok((socket, _))) = (place, accepted) else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            // A caller who hangs up is the caller's affair; what was taken is committed.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, open.shutdown()).await.is_err() {
        tracing::warn!("webhooks under way did not finish in time; their providers send them again");
    }
}
