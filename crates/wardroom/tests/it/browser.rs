//! A browser as far as a server sees one: it keeps a cookie, says from which page it asks, and has an address.

use std::io::{BufRead, BufReader};
use std::sync::mpsc;

use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request};

use crate::house::{House, Server, Stream, agent};

/// The password of everybody in these stories.
pub const PASSWORD: &str = "correct horse battery";

/// A browser of somebody's.
pub struct Browser<'a> {
    server: &'a Server,
    pub cookie: String,
    /// From where, as a proxy on the same machine tells it.
    from: String,
    origin: Option<String>,
}

/// An answer with its headers.
pub struct Told {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status and, of a problem, the code.
    pub fn said(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

impl<'a> Browser<'a> {
    /// One that knows nothing yet.
    pub fn new(server: &'a Server) -> Self {
        let origin = Some(server.url.clone());
        Self { server, cookie: String::new(), from: "198.51.100.1".to_owned(), origin }
    }

    pub fn at(mut self, address: &str) -> Self {
        self.from = address.to_owned();
        self
    }

    /// Showing another page, or saying nothing about that.
    pub fn on(mut self, origin: Option<&str>) -> Self {
        self.origin = origin.map(str::to_owned);
        self
    }

    pub fn holding(mut self, cookie: &str) -> Self {
        self.cookie = cookie.to_owned();
        self
    }

    /// Somebody new, let in by a link that was made on the machine itself.
    pub fn of(house: &House, server: &'a Server, handle: &str) -> Self {
        house.run(&["person", "add", handle, "--name", handle]);
        let mut browser = Self::new(server);
        let told = browser.come_in(&link(house, handle), json!({}));
        assert_eq!(told.status, 204, "{}", told.body);
        browser
    }

    /// Somebody comes through a link.
    pub fn come_in(&mut self, secret: &str, mut more: Value) -> Told {
        more["secret"] = json!(secret);
        if more.get("password").is_none() {
            more["password"] = json!(PASSWORD);
        }
        self.post("/api/v1/welcome", more)
    }

    pub fn sign_in(&mut self, handle: &str, password: &str) -> Told {
        self.post("/api/v1/session", json!({ "handle": handle, "password": password }))
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> ureq::http::request::Builder {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server.url));
        request =
            request.header("x-forwarded-for", &self.from).header("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/1");
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let request = self.request(method, path, headers).body(body.to_owned()).unwrap();
        let mut answer = agent().run(request).unwrap();
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        let set = answer.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        for (cookie, rest) in set.filter_map(|line| line.split_once(';')) {
            self.cookie = if rest.contains("Max-Age=0") { String::new() } else { cookie.to_owned() };
        }
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        Told { status: answer.status().as_u16(), body, headers: answer.headers().clone() }
    }

    pub fn get(&mut self, path: &str) -> Told {
        self.ask("GET", path, &[], "")
    }

    pub fn post(&mut self, path: &str, body: Value) -> Told {
        self.ask("POST", path, &[("content-type", "application/json")], &body.to_string())
    }

    pub fn delete(&mut self, path: &str) -> Told {
        self.ask("DELETE", path, &[], "")
    }

    /// Whether the server knows who this is.
    pub fn is_in(&mut self) -> bool {
        self.get("/api/v1/me").status == 200
    }

    /// Opens the live stream.
    pub fn follow(&self) -> Stream {
        let answer = agent().run(self.request("GET", "/api/v1/events", &[]).body(()).unwrap()).unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let (entries, received) = mpsc::channel();
        let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), ": connected");
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(data) = line.strip_prefix("data: ")
                    && entries.send(serde_json::from_str(data).unwrap()).is_err()
                {
                    return;
                }
            }
        });
        Stream { received }
    }
}

/// The secret of a link for somebody, made on the machine itself.
pub fn link(house: &House, handle: &str) -> String {
    secret_in(&house.run(&["person", "link", handle]))
}

/// The secret of the link in a text.
pub fn secret_in(text: &str) -> String {
    text.split_once("/welcome#").expect("there is a link").1.split_whitespace().next().unwrap().to_owned()
}
