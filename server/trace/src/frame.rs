//! The binary framing of the channel.

use std::io::{self, Read};

use crate::Message;

/// Largest payload accepted.
const MAX_PAYLOAD: usize = 64 << 20;
const KIND_JSON: u8 = b'J';
const KIND_STEP: u8 = b'S';

/// One training step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepFrame {
    /// Number of the training.
    pub fit: usize,
    /// The layout that names the numbers.
    pub layout: u32,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Batch within the epoch, from 0.
    pub batch: u32,
    /// Step, counted over the training.
    pub step: u64,
    /// Values named by the layout's scalars.
    pub scalars: Vec<f64>,
    /// Number of rows; 0 when the step was not probed.
    pub rows: usize,
    /// Row-major statistics of the rows.
    pub stats: Vec<f64>,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A JSON message.
    Message(Message),
    /// A training step.
    Step(StepFrame),
}

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The channel broke, or ended within a frame.
    #[error("the trace channel broke: {0}")]
    Io(#[from] io::Error),
    /// A length beyond the limit.
    #[error("a frame of {0} bytes is longer than the {MAX_PAYLOAD} allowed")]
    TooLong(usize),
    /// A frame kind nobody knows.
    #[error("unknown kind of frame: {0:#04x}")]
    UnknownKind(u8),
    /// A JSON payload that does not parse.
    #[error("a message of the tracer does not parse: {0}")]
    Json(#[from] serde_json::Error),
    /// A step payload whose lengths contradict each other.
    #[error("a step frame is malformed: {0}")]
    Step(&'static str),
}

/// Reads frames from a byte stream.
#[derive(Debug)]
pub struct FrameReader<R> {
    stream: R,
    buffer: Vec<u8>,
}

impl<R: Read> FrameReader<R> {
    /// Reads frames from `stream`.
    pub fn new(stream: R) -> Self {
        FrameReader {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The stream it reads from.
    pub fn get_ref(&self) -> &R {
        &self.stream
    }

    /// The next frame; `None` when the stream ended between two frames.
    pub fn read(&mut self) -> Result<Option<Frame>, FrameError> {
        let mut header = [0_u8; 5];
        let mut filled = 0;
        while filled < header.len() {
            match self.stream.read(&mut header[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if length > MAX_PAYLOAD {
            return Err(FrameError::TooLong(length));
        }
        // Grows with what really arrives, so a corrupt length does not allocate 64 MiB.
        self.buffer.clear();
        let received = (&mut self.stream)
            .take(length as u64)
            .read_to_end(&mut self.buffer)?;
        if received < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match header[4] {
            KIND_JSON => Ok(Some(Frame::Message(serde_json::from_slice(&self.buffer)?))),
            KIND_STEP => decode_step(&self.buffer).map(|step| Some(Frame::Step(step))),
            kind => Err(FrameError::UnknownKind(kind)),
        }
    }
}

fn decode_step(payload: &[u8]) -> Result<StepFrame, FrameError> {
    const HEADER: usize = 32;
    let short = FrameError::Step("shorter than its header");
    let u32_at = |at: usize| -> Option<u32> {
        let bytes = payload.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let header = || -> Option<(u32, u32, u32, u32, u64, usize, usize)> {
        let step = u64::from_le_bytes(payload.get(16..24)?.try_into().ok()?);
        Some((
            u32_at(0)?,
            u32_at(4)?,
            u32_at(8)?,
            u32_at(12)?,
            step,
            u32_at(24)? as usize,
            u32_at(28)? as usize,
        ))
    };
    let (fit, layout, epoch, batch, step, scalar_count, rows) = header().ok_or(short)?;
    let body = &payload[HEADER..];
    if !body.len().is_multiple_of(8) {
        return Err(FrameError::Step("not a whole number of values"));
    }
    let mut values: Vec<f64> = body
        .chunks_exact(8)
        .map(|bytes| {
            f64::from_le_bytes([
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
            ])
        })
        .collect();
    if values.len() < scalar_count {
        return Err(FrameError::Step("fewer values than scalars"));
    }
    let stats = values.split_off(scalar_count);
    if (rows == 0) != stats.is_empty() || (rows > 0 && !stats.len().is_multiple_of(rows)) {
        return Err(FrameError::Step("values do not fill the rows"));
    }
    Ok(StepFrame {
        fit: fit as usize,
        layout,
        epoch,
        batch,
        step,
        scalars: values,
        rows,
        stats,
    })
}

/// Writes a frame as it stands on the channel.
pub fn encode(frame: &Frame) -> Result<Vec<u8>, FrameError> {
    let (kind, payload) = match frame {
        Frame::Message(message) => (KIND_JSON, serde_json::to_vec(message)?),
        Frame::Step(step) => {
            let mut payload = Vec::with_capacity(32 + 8 * (step.scalars.len() + step.stats.len()));
            for number in [step.fit as u32, step.layout, step.epoch, step.batch] {
                payload.extend(number.to_le_bytes());
            }
            payload.extend(step.step.to_le_bytes());
            for number in [step.scalars.len() as u32, step.rows as u32] {
                payload.extend(number.to_le_bytes());
            }
            for value in step.scalars.iter().chain(&step.stats) {
                payload.extend(value.to_le_bytes());
            }
            (KIND_STEP, payload)
        }
    };
    let length = u32::try_from(payload.len()).map_err(|_| FrameError::TooLong(payload.len()))?;
    let mut bytes = Vec::with_capacity(payload.len() + 5);
    bytes.extend(length.to_le_bytes());
    bytes.push(kind);
    bytes.extend(payload);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ExitMessage, StartMessage};

    fn read_all(bytes: &[u8]) -> Result<Vec<Frame>, FrameError> {
        let mut reader = FrameReader::new(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = reader.read()? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[test]
    fn frames_survive_the_channel() {
        let frames = vec![
            Frame::Message(Message::Start(StartMessage {
                python: "3.11.7".into(),
                executable: "/usr/bin/python3".into(),
                pid: 7,
            })),
            Frame::Step(StepFrame {
                fit: 0,
                layout: 1,
                epoch: 2,
                batch: 3,
                step: 1 << 40,
                scalars: vec![0.5, -1.0],
                rows: 2,
                stats: vec![1.0, 2.0, 3.0, 4.0],
            }),
            Frame::Message(Message::Exit(ExitMessage { code: 0, fits: 1 })),
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame).unwrap()).collect();
        assert_eq!(read_all(&bytes).unwrap(), frames);
    }

    #[test]
    fn corrupt_bytes_are_errors() {
        let step = Frame::Step(StepFrame {
            fit: 0,
            layout: 0,
            epoch: 0,
            batch: 0,
            step: 0,
            scalars: vec![1.0],
            rows: 1,
            stats: vec![1.0],
        });
        let good = encode(&step).unwrap();
        for cut in 1..good.len() {
            assert!(read_all(&good[..cut]).is_err(), "cut at {cut}");
        }
        assert!(matches!(
            read_all(&[255, 255, 255, 255, b'S']),
            Err(FrameError::TooLong(_))
        ));
        assert!(matches!(
            read_all(&[0, 0, 0, 0, b'?']),
            Err(FrameError::UnknownKind(b'?'))
        ));
        assert!(matches!(
            read_all(&[2, 0, 0, 0, b'J', b'{', b'x']),
            Err(FrameError::Json(_))
        ));
        let mut lying = good;
        lying[5 + 24] = 9; // nine scalars announced, two values present
        assert!(matches!(read_all(&lying), Err(FrameError::Step(_))));
    }

    #[test]
    fn later_messages_are_skipped() {
        let payload = br#"{"type":"telepathy","x":1}"#;
        let mut bytes = (payload.len() as u32).to_le_bytes().to_vec();
        bytes.push(b'J');
        bytes.extend_from_slice(payload);
        assert_eq!(read_all(&bytes).unwrap(), vec![Frame::Message(Message::Unknown)]);
    }
}
