//! From an edit to its diagnostics, against `ruff server`, and the memory a server takes at rest.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// Lines of the script that is edited.
const LINES: usize = 200;
/// Edits that count, after some that do not.
const EDITS: usize = 300;
const WARM_UP: usize = 50;

/// Measures both servers in turns and prints the rows.
pub fn run(ours: &Path, ruff: &Path) -> anyhow::Result<()> {
    let text = script()?;
    let mut servers = [Server::start(ours, &text)?, Server::start(ruff, &text)?];
    let mut seconds: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for edit in 0..WARM_UP + EDITS {
        for (server, seconds) in servers.iter_mut().zip(&mut seconds) {
            let took = server.edit(edit)?;
            if edit >= WARM_UP {
                seconds.push(took);
            }
        }
    }
    for seconds in &mut seconds {
        seconds.sort_by(f64::total_cmp);
    }
    let [mine, peer] = &seconds;
    for (name, part) in [("median", EDITS / 2), ("p95", EDITS * 95 / 100)] {
        let (mine, peer) = (mine[part] * 1e3, peer[part] * 1e3);
        println!(
            "| edit → diagnostics, {LINES} lines, {name} / ruff server | {mine:.2} ms | {peer:.2} ms | {:.2} |",
            mine / peer
        );
    }
    std::thread::sleep(Duration::from_secs(1));
    let [mine, peer] = [servers[0].megabytes()?, servers[1].megabytes()?];
    println!(
        "| memory at rest (RSS) / ruff server | {mine:.1} MB | {peer:.1} MB | {:.2} |",
        mine / peer
    );
    Ok(())
}

/// Healthy scripts one behind the other, so many as make up the lines.
fn script() -> anyhow::Result<String> {
    let mut text = String::new();
    for path in super::scripts()? {
        if path.components().any(|part| part.as_os_str() == "precision") && text.lines().count() < LINES {
            text += &std::fs::read_to_string(path)?;
        }
    }
    let cut: Vec<&str> = text.lines().take(LINES).collect();
    ensure!(cut.len() == LINES, "too few scripts for {LINES} lines");
    Ok(cut.join("\n") + "\n")
}

struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: i64,
}

const URI: &str = "file:///nowhere/train.py";

impl Server {
    fn start(program: &Path, text: &str) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Server {
            input: process.stdin.take().context("no input")?,
            output: BufReader::new(process.stdout.take().context("no output")?),
            process,
            version: 1,
        };
        let capabilities = json!({"textDocument": {"publishDiagnostics": {"versionSupport": true}}});
        server.send(
            &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
                "processId": std::process::id(), "rootUri": null, "capabilities": capabilities,
            }}),
        )?;
        while server.read()?["id"] != 0 {}
        server.notify("initialized", json!({}))?;
        let document = json!({"uri": URI, "languageId": "python", "version": 1, "text": text});
        server.notify("textDocument/didOpen", json!({"textDocument": document}))?;
        server.published(1)?;
        Ok(server)
    }

    /// Types a letter behind the last line, or takes it away again; seconds until the diagnostics for it are there.
    fn edit(&mut self, number: usize) -> anyhow::Result<f64> {
        self.version += 1;
        let line = json!({"line": LINES, "character": 0});
        let (end, text) = match number % 2 {
            0 => (line.clone(), "x"),
            _ => (json!({"line": LINES, "character": 1}), ""),
        };
        let start = Instant::now();
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": {"uri": URI, "version": self.version},
                "contentChanges": [{"range": {"start": line, "end": end}, "text": text}],
            }),
        )?;
        self.published(self.version)?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn published(&mut self, version: i64) -> anyhow::Result<()> {
        loop {
            let message = self.read()?;
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["version"] == version
            {
                return Ok(());
            }
            if message.get("method").is_some() && message.get("id").is_some() {
                self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": null}))?;
            }
        }
    }

    fn notify(&mut self, method: &str, params: Value) -> anyhow::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        Ok(self.input.flush()?)
    }

    fn read(&mut self) -> anyhow::Result<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            ensure!(self.output.read_line(&mut line)? > 0, "the server ended");
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim_end().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Resident memory, in units of a million bytes.
    fn megabytes(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: f64 = line
            .and_then(|line| line.split_whitespace().next())
            .context("no VmRSS")?
            .parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
