//! The listener: one way in for every request, and connections that can break on purpose.

use super::faults::Strike;
use super::ledger::{Kind, LedgerLine, Provider};
use super::wire::{Call, Reply};
use super::world::{App, World};
use super::{SandboxError, admin, meta, sign, twilio, vapi};
use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use futures::StreamExt as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Longer than any client waits for an answer, in wall time.
const HANG: Duration = Duration::from_mins(2);

/// Between the half of an answer and its end, in wall time.
const SAID: Duration = Duration::from_millis(20);

/// Largest request body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Takes the address; with port 0 the port of the last run, if it is free.
pub(super) async fn bind(addr: SocketAddr, last: Option<u16>) -> Result<Door, SandboxError> {
    if let (0, Some(port)) = (addr.port(), last)
        && let Ok(again) = TcpListener::bind(SocketAddr::new(addr.ip(), port)).await
    {
        return Door::new(again, addr);
    }
    match TcpListener::bind(addr).await {
        Ok(listener) => Door::new(listener, addr),
        Err(source) => Err(SandboxError::Listen { addr, source }),
    }
}

/// A listener whose connections can be cut.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Door {
    fn new(listener: TcpListener, asked: SocketAddr) -> Result<Self, SandboxError> {
        let addr = listener.local_addr().map_err(|source| SandboxError::Listen { addr: asked, source })?;
        Ok(Self { listener, addr })
    }

    pub(super) const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Cuts its connection: nothing more is written to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scissors(Arc<AtomicBool>);

impl Scissors {
    /// Cuts; what is returned here is never written.
    fn apply(&self) -> Response {
        self.0.store(true, Ordering::Relaxed);
        StatusCode::OK.into_response()
    }
}

/// A connection that can be cut.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    cut: Scissors,
}

impl Line {
    fn broken(&self) -> Option<io::Error> {
        self.cut.0.load(Ordering::Relaxed).then(|| io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        // axum's own listener sleeps over exhausted file handles and goes on.
        let (stream, addr) = Listener::accept(&mut self.listener).await;
        (Line { stream, cut: Scissors::default() }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

impl Connected<IncomingStream<'_, Door>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().cut.clone()
    }
}

/// Serves until told to stop.
pub(super) async fn serve(door: Door, app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let router: Router = Router::new()
        .merge(admin::routes())
        .fallback(provider)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app);
    let service = router.into_make_service_with_connect_info::<Scissors>();
    let stop = async move {
        // An error means that the sandbox was dropped.
        let _ = stopped.changed().await;
    };
    tokio::select! {
        served = axum::serve(door, service) => {
            if let Err(error) = served {
                tracing::error!(%error, "the sandbox stopped listening");
            }
        }
        () = stop => {}
    }
}

/// Only programs that mean this address get in: no page in a browser, no rebound name.
async fn guard(
    State(app): State<Arc<App>>,
    ConnectInfo(cut): ConnectInfo<Scissors>,
    request: Request,
    next: Next,
) -> Response {
    if app.closed.load(Ordering::Relaxed) {
        return cut.apply();
    }
    if !means_us(app.addr, &request) || comes_from_a_page(request.headers()) {
        return (StatusCode::FORBIDDEN, "the sandbox answers programs on this machine only\n")
            .into_response();
    }
    next.run(request).await
}

/// Whether every name that the request gives its receiver is ours: one `Host`, and the address itself if it is whole.
fn means_us(addr: SocketAddr, request: &Request) -> bool {
    let ours = |name: &str| {
        [addr.to_string(), format!("localhost:{}", addr.port())]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, more) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
    let named = request.uri().authority().is_none_or(|named| ours(named.as_str()));
    host.is_some_and(ours) && more.is_none() && named
}

/// A browser says from where it comes; a page that nobody opened here by hand has no business with us.
fn comes_from_a_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| !matches!(site, b"none" | b"same-origin"))
}

async fn provider(
    State(app): State<Arc<App>>,
    ConnectInfo(cut): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    let at = app.clock.now();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(call) = Call::read(at, parts.method, &parts.uri, &parts.headers, body) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Meta asks our address for the challenge before it answers.
    let proof = meta::verify(&app, &call).await;
    let answered = app.change(|world, _| answer(world, &call, proof));
    let (reply, way) = match answered.await {
        Ok(answered) => answered,
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    };
    match way {
        Way::Whole => respond(&reply, call.provider, at),
        Way::Half => half(&reply, call.provider, at),
        Way::Cut => cut.apply(),
        Way::Never => {
            // Whoever hangs up takes this task with them.
            tokio::time::sleep(HANG).await;
            cut.apply()
        }
    }
}

/// How an answer leaves.
enum Way {
    Whole,
    /// The connection breaks in the middle of it.
    Half,
    /// The connection breaks before it.
    Cut,
    /// It does not.
    Never,
}

/// The provider's answer, written down, and how it leaves.
fn answer(world: &mut World, call: &Call, proof: Option<bool>) -> (Reply, Way) {
    let send = call.kind == Kind::Send;
    let strike = world.faults.request(world.seed, call.provider, call.at, send);
    if strike.is_some() {
        world.keep_faults();
    }
    let handle = |world: &mut World| match call.provider {
        Provider::Whatsapp => meta::answer(world, call, proof),
        Provider::Vapi => vapi::answer(world, call),
        Provider::Twilio => twilio::answer(world, call),
    };
    let bare =
        |status: u16| Reply::error(status, status, serde_json::Value::String("fault on demand".into()));
    let (done, answered, way) = match strike {
        // Nothing was done: that is in no ledger.
        Some(Strike::Down) => return (bare(503), Way::Cut),
        Some(Strike::Hang { taken: false }) => return (bare(503), Way::Never),
        None => (handle(world), None, Way::Whole),
        Some(Strike::Lost) => (handle(world), None, Way::Cut),
        Some(Strike::Half) => (handle(world), None, Way::Half),
        Some(Strike::Hang { taken: true }) => (handle(world), None, Way::Never),
        Some(Strike::After(status)) => (handle(world), Some(bare(status)), Way::Whole),
        Some(Strike::Status(status)) => (bare(status), None, Way::Whole),
        Some(Strike::Refused(code)) => (refusal(call.provider, code.as_deref()), None, Way::Whole),
    };
    enter(world, call, &done, answered.as_ref());
    (answered.unwrap_or(done), way)
}

fn refusal(provider: Provider, code: Option<&str>) -> Reply {
    match provider {
        Provider::Whatsapp => meta::refusal(code.and_then(|c| c.parse().ok()).unwrap_or(130_429)),
        Provider::Vapi => vapi::refusal(code.and_then(|c| c.parse().ok()).unwrap_or(429)),
        Provider::Twilio => twilio::refusal(code.and_then(|c| c.parse().ok()).unwrap_or(20429)),
    }
}

/// Writes the request down: what was `done` about it, and what was answered where that is another thing.
fn enter(world: &mut World, call: &Call, done: &Reply, answered: Option<&Reply>) {
    // A recall names our id of the thing; whom it was for, the provider knows.
    let (to, attempt) = match (call.kind, call.provider) {
        (Kind::Recall, Provider::Vapi) => vapi::about(world, call),
        (Kind::Recall, Provider::Twilio) => twilio::about(world, call),
        (Kind::Send | Kind::Lookup | Kind::Setup | Kind::Recall, _) => (call.to(), call.attempt()),
    };
    world.enter(&LedgerLine {
        at: call.at,
        provider: call.provider.as_str(),
        kind: call.kind,
        method: call.method.as_str(),
        path: &call.path,
        status: answered.unwrap_or(done).status,
        channel: call.provider.channel(),
        to: to.as_deref(),
        attempt: attempt.as_deref(),
        accepted: (call.kind == Kind::Send).then_some((200..300).contains(&done.status)),
        code: answered.unwrap_or(done).code.as_deref(),
        body_sha256: sign::sha256_hex(&call.body),
    });
}

/// The head, and half of the body that it announces.
fn half(reply: &Reply, provider: Provider, at: crate::model::At) -> Response {
    let body = reply.body.to_string();
    let begun = body.get(..body.len() / 2).unwrap_or_default().to_owned();
    let mut response = respond(reply, provider, at);
    response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    let rest = async {
        // What was said is on its way before the connection breaks.
        tokio::time::sleep(SAID).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    let begun = futures::stream::once(std::future::ready(Ok(begun)));
    *response.body_mut() = Body::from_stream(begun.chain(futures::stream::once(rest)));
    response
}

fn respond(reply: &Reply, provider: Provider, at: crate::model::At) -> Response {
    let mut headers = HeaderMap::new();
    let mut set = |name, value: String| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    let json = match provider {
        Provider::Vapi | Provider::Twilio => "application/json; charset=utf-8",
        Provider::Whatsapp => "application/json; charset=UTF-8",
    };
    set(header::CONTENT_TYPE, json.to_owned());
    // A provider's clock is the campaign's.
    set(header::DATE, at.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(seconds) = reply.retry_after {
        set(header::RETRY_AFTER, seconds.to_string());
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, headers, Body::from(reply.body.to_string())).into_response()
}
