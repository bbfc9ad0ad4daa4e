//! A forge on this machine: smart HTTP by `git http-backend`, and what GitHub's REST API answers, as GitHub documents it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const BODY_MAX: usize = 16 * 1024 * 1024;

/// Serves until the tests end.
pub fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

/// `git http-backend` for the repositories below a directory; a push asks for a password.
#[derive(Clone)]
pub struct Backend {
    program: PathBuf,
    root: PathBuf,
}

impl Backend {
    pub fn find(root: &Path) -> Option<Self> {
        let said = Command::new("git").arg("--exec-path").output().ok()?;
        let program = Path::new(String::from_utf8(said.stdout).ok()?.trim()).join("git-http-backend");
        program.exists().then(|| Self { program, root: root.to_owned() })
    }

    pub fn router(self) -> Router {
        Router::new().fallback(move |request: Request| {
            let backend = self.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, BODY_MAX).await.unwrap();
                tokio::task::spawn_blocking(move || backend.answer(&parts, &body)).await.unwrap()
            }
        })
    }

    /// One request as a CGI program gets it.
    fn answer(&self, parts: &axum::http::request::Parts, body: &[u8]) -> Response {
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let password = base64::engine::general_purpose::STANDARD.encode("ana:s3cret");
        if header("authorization") != Some(format!("Basic {password}")) {
            let asks = [("www-authenticate", "Basic realm=\"rules\"")];
            return (StatusCode::UNAUTHORIZED, asks).into_response();
        }
        let mut cgi = Command::new(&self.program);
        cgi.env("GIT_PROJECT_ROOT", &self.root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "ana");
        cgi.env("PATH_INFO", parts.uri.path()).env("QUERY_STRING", parts.uri.query().unwrap_or_default());
        cgi.env("REQUEST_METHOD", parts.method.as_str()).env("CONTENT_LENGTH", body.len().to_string());
        for (name, variable) in [
            ("content-type", "CONTENT_TYPE"),
            ("content-encoding", "HTTP_CONTENT_ENCODING"),
            ("git-protocol", "GIT_PROTOCOL"),
        ] {
            if let Some(value) = header(name) {
                cgi.env(variable, value);
            }
        }
        let mut child =
            cgi.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(body).unwrap();
        let out = child.wait_with_output().unwrap().stdout;
        let end = out.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let mut response = Response::builder();
        for line in String::from_utf8_lossy(&out[..end]).lines() {
            let (name, value) = line.split_once(": ").unwrap();
            response = match name {
                "Status" => response.status(value.split(' ').next().unwrap().parse::<u16>().unwrap()),
                _ => response.header(name, value),
            };
        }
        response.body(Body::from(out[end + 4..].to_vec())).unwrap()
    }
}

/// A request that the forge got.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub token: Option<String>,
    pub body: Value,
}

/// An answer that is given whatever is asked: status, headers, body.
type Always = (u16, Vec<(&'static str, String)>, Value);

#[derive(Default)]
pub struct Inside {
    pub asked: Vec<Asked>,
    pub pulls: Vec<Value>,
    pub always: Option<Always>,
    /// A list that lags: it does not show what is there.
    pub blind: bool,
    pub runs: Vec<Value>,
    pub statuses: Vec<Value>,
    pub reviews: Vec<Value>,
    /// The token may not see checks.
    pub no_checks: bool,
}

/// GitHub, as far as `acme/rules` goes.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Inside>>);

impl Hub {
    pub fn start() -> (Self, String) {
        let hub = Self::default();
        let inside = hub.clone();
        let router = Router::new().fallback(move |headers: HeaderMap, request: Request| {
            let hub = inside.clone();
            async move {
                let line = format!("{} {}", request.method(), request.uri());
                let body = to_bytes(request.into_body(), BODY_MAX).await.unwrap();
                let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                hub.answer(Asked { line, token, body })
            }
        });
        let address = serve(router);
        (hub, format!("http://{address}"))
    }

    pub fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn answer(&self, asked: Asked) -> Response {
        let mut inside = self.inside();
        inside.asked.push(asked.clone());
        if let Some((status, headers, body)) = inside.always.clone() {
            let mut response = (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            return response;
        }
        if asked.token.as_deref() != Some("Bearer gh-token") {
            return said(401, json!({"message": "Bad credentials", "status": "401"}));
        }
        let path = asked.line.split(['?', ' ']).nth(1).unwrap().to_owned();
        match (asked.line.split(' ').next().unwrap(), path.as_str()) {
            ("GET", "/repos/acme/rules/pulls") => {
                let wanted = |pull: &&Value| {
                    let head = pull["head"]["ref"].as_str().unwrap().replace('/', "%2F");
                    let is_asked = pull["state"] == "open" || asked.line.contains("state=all");
                    is_asked && asked.line.contains(&format!("head=acme%3A{head}"))
                };
                let open: Vec<&Value> =
                    inside.pulls.iter().filter(wanted).filter(|_| !inside.blind).collect();
                said(200, json!(open))
            }
            ("POST", "/repos/acme/rules/pulls") => inside.create(&asked.body),
            ("GET", "/repos/acme/rules/pulls/1") => said(200, inside.pulls[0].clone()),
            ("GET", "/repos/acme/rules/pulls/1/reviews") => said(200, json!(inside.reviews)),
            ("GET", path) if path.ends_with("/check-runs") || path.ends_with("/status") => {
                inside.checks(path)
            }
            _ => said(
                404,
                json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}),
            ),
        }
    }
}

impl Inside {
    fn create(&mut self, wanted: &Value) -> Response {
        let head = wanted["head"].as_str().unwrap().to_owned();
        if self.pulls.iter().any(|pull| pull["head"]["ref"] == head && pull["state"] == "open") {
            return invalid(&json!([{"resource": "PullRequest", "code": "custom",
                "message": format!("A pull request already exists for acme:{head}.")}]));
        }
        let number = self.pulls.len() + 1;
        let pull = json!({
            "number": number, "html_url": format!("https://github.com/acme/rules/pull/{number}"), "state": "open",
            "merged": false, "draft": false, "title": wanted["title"], "body": wanted["body"],
            "head": {"ref": head, "sha": "c0ffee", "label": format!("acme:{head}")}, "base": {"ref": wanted["base"]},
        });
        self.pulls.push(pull.clone());
        said(201, pull)
    }

    fn checks(&self, path: &str) -> Response {
        if self.no_checks {
            return said(
                403,
                json!({"message": "Resource not accessible by personal access token", "status": "403"}),
            );
        }
        if path.ends_with("/check-runs") {
            said(200, json!({"total_count": self.runs.len(), "check_runs": self.runs}))
        } else {
            said(200, json!({"state": "pending", "statuses": self.statuses}))
        }
    }
}

pub fn invalid(errors: &Value) -> Response {
    said(422, json!({"message": "Validation Failed", "errors": errors, "status": "422"}))
}

fn said(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}
