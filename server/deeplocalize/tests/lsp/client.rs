//! A client that notices every message: one that nobody read fails the test.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Time within which the server must do whatever a test waits for.
const LIMIT: Duration = Duration::from_secs(20);
/// Time without a message after which none is on its way: longer than the pause that a check waits for.
const QUIET: Duration = Duration::from_millis(400);

/// The uri most tests use; it names no file.
pub const URI: &str = "file:///nowhere/train.py";
/// A script the rules object to once, at `"softmax"`.
pub const FAULTY: &str = r#"import keras

model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(1, activation="softmax"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x, y, epochs=3)
"#;

pub struct Client {
    server: Child,
    input: Option<ChildStdin>,
    output: Receiver<Value>,
    unread: VecDeque<Value>,
    last_id: i64,
    /// The answer to `initialize`.
    pub initialized: Value,
}

impl Client {
    /// A server that has not been initialized.
    pub fn start() -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_deeplocalize"))
            .arg("server")
            .env_remove("DEEPLOCALIZE_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = server.stdin.take();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        let (sender, output) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read_message(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Client {
            server,
            input,
            output,
            unread: VecDeque::new(),
            last_id: 0,
            initialized: Value::Null,
        }
    }

    /// A server initialized with these capabilities and options.
    pub fn initialize(capabilities: Value, options: Value) -> Self {
        let mut client = Client::start();
        client.initialized = client.request(
            "initialize",
            json!({"processId": std::process::id(), "rootUri": null, "capabilities": capabilities, "initializationOptions": options}),
        );
        client.notify("initialized", json!({}));
        client
    }

    pub fn send(&mut self, message: &Value) {
        self.send_at_once(std::slice::from_ref(message));
    }

    /// Sends messages in one piece, so that the server has read them all before it handles the first.
    pub fn send_at_once(&mut self, messages: &[Value]) {
        let mut bytes = Vec::new();
        for message in messages {
            let body = message.to_string();
            write!(bytes, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
        let input = self.input.as_mut().expect("input is open");
        input.write_all(&bytes).unwrap();
        input.flush().unwrap();
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and returns its answer, be it result or error.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.find(|message| message["id"] == id && message.get("method").is_none())
    }

    /// Sends a request that must succeed.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Sends a request that must fail; its message.
    pub fn refusal(&mut self, method: &str, params: Value) -> String {
        let answer = self.ask(method, params);
        answer["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} succeeded: {answer}"))
            .to_owned()
    }

    /// The next message of that method from the server.
    pub fn expect(&mut self, method: &str) -> Value {
        self.find(|message| message["method"] == method)["params"].take()
    }

    /// Answers the next request of that method from the server.
    pub fn answer(&mut self, method: &str, result: Value) {
        let request = self.find(|message| message["method"] == method && message.get("id").is_some());
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    }

    /// Drops messages of that method, of which there may be any number, until the server is quiet.
    pub fn discard(&mut self, method: &str) {
        while let Ok(message) = self.output.recv_timeout(QUIET) {
            self.unread.push_back(message);
        }
        self.unread.retain(|message| message["method"] != method);
    }

    /// The next message of that method, which may take its time: a script is running.
    #[cfg(feature = "keras")]
    pub fn expect_from_run(&mut self, method: &str) -> Value {
        self.find_within(Duration::from_secs(150), |message| message["method"] == method)["params"].take()
    }

    /// The first message that fits; others stay for whoever expects them.
    fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        self.find_within(LIMIT, fits)
    }

    fn find_within(&mut self, limit: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.unread.iter().position(&fits) {
            return self.unread.remove(at).unwrap();
        }
        let end = Instant::now() + limit;
        loop {
            match self
                .output
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(message) if fits(&message) => return message,
                Ok(message) => self.unread.push_back(message),
                Err(error) => panic!("{error} while waiting; unread: {:?}", self.unread),
            }
        }
    }

    /// Fails when the server has said, or says within a moment, anything that was not read.
    pub fn assert_quiet(&mut self) {
        let said = self
            .unread
            .pop_front()
            .or_else(|| self.output.recv_timeout(QUIET).ok());
        assert_eq!(said, None, "a message of the server was left unread");
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": "python", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    pub fn change(&mut self, uri: &str, version: i32, changes: Value) {
        self.send(&change(uri, version, changes));
    }

    /// The next publication: its version and diagnostics.
    pub fn published(&mut self, uri: &str) -> (Value, Vec<Value>) {
        let mut params = self.expect("textDocument/publishDiagnostics");
        assert_eq!(params["uri"], uri);
        let Value::Array(diagnostics) = params["diagnostics"].take() else {
            panic!("no list: {params}")
        };
        (params["version"].take(), diagnostics)
    }

    pub fn lenses(&mut self, uri: &str) -> Value {
        self.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}}))
    }

    pub fn command(&mut self, command: &str, arguments: Value) -> Value {
        self.request(
            "workspace/executeCommand",
            json!({"command": command, "arguments": arguments}),
        )
    }

    /// Ends the session in the order of the protocol; nothing may be left unread.
    pub fn shutdown(mut self) {
        self.assert_quiet();
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        let status = self.ends();
        assert!(status.success(), "{status}");
        let said = self
            .unread
            .pop_front()
            .or_else(|| self.output.recv_timeout(LIMIT).ok());
        assert_eq!(said, None, "a message of the server was left unread");
    }

    /// Closes the server's input, as an editor that crashed does.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until the server has ended by itself.
    pub fn ends(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            if let Some(status) = self.server.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not end");
    }

    /// Whether the server has ended without being waited for.
    pub fn has_ended(&mut self) -> bool {
        self.server.try_wait().unwrap().is_some()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // After a failed test only; an ended server cannot be killed again.
        let _ = self.server.kill();
        let _ = self.server.wait();
        if !std::thread::panicking() {
            let unread: Vec<_> = self.unread.drain(..).collect();
            assert!(
                unread.is_empty(),
                "messages of the server were left unread: {unread:?}"
            );
            match self.output.recv_timeout(LIMIT) {
                Err(RecvTimeoutError::Disconnected) => {}
                said => panic!("a message of the server was left unread: {said:?}"),
            }
        }
    }
}

fn read_message(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().expect("a length"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("the server speaks JSON"))
}

/// The notification that a document changed.
pub fn change(uri: &str, version: i32, changes: Value) -> Value {
    let document = json!({"uri": uri, "version": version});
    let params = json!({"textDocument": document, "contentChanges": changes});
    json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params})
}

/// A range of the protocol.
pub fn range([l, c, m, d]: [u32; 4]) -> Value {
    json!({"start": {"line": l, "character": c}, "end": {"line": m, "character": d}})
}
