//! A text as NumPy keeps it: an array of no dimension and of type `<U…`.

use std::io::{Read, Write};

use super::Problem;

const MAGIC: &[u8] = b"\x93NUMPY\x02\x00";
/// Longest text accepted, in characters.
const LONGEST: usize = 64 << 20;

/// Writes a text as a `.npy` file.
pub(super) fn write_text(text: &str, mut to: impl Write) -> std::io::Result<()> {
    let characters: Vec<char> = text.chars().collect();
    let header = format!(
        "{{'descr': '<U{}', 'fortran_order': False, 'shape': (), }}",
        characters.len().max(1)
    );
    // What follows starts at a multiple of 64 bytes.
    let start = MAGIC.len() + 4;
    let padded = (start + header.len() + 1).next_multiple_of(64) - start;
    let length = u32::try_from(padded).map_err(std::io::Error::other)?;
    to.write_all(MAGIC)?;
    to.write_all(&length.to_le_bytes())?;
    writeln!(to, "{header:<width$}", width = padded - 1)?;
    let mut bytes: Vec<u8> = characters
        .iter()
        .flat_map(|&character| u32::from(character).to_le_bytes())
        .collect();
    bytes.resize(bytes.len().max(4), 0);
    to.write_all(&bytes)
}

/// Reads a text from a `.npy` file.
pub(super) fn read_text(name: &str, mut from: impl Read) -> Result<String, Problem> {
    let wrong = |reason: &str| Problem::array(name, reason);
    let mut start = [0_u8; 8];
    from.read_exact(&mut start)?;
    let wide = match &start[..7] {
        b"\x93NUMPY\x01" => false,
        b"\x93NUMPY\x02" | b"\x93NUMPY\x03" => true,
        _ => return Err(wrong("it is no .npy file")),
    };
    let mut length = [0_u8; 4];
    from.read_exact(&mut length[..if wide { 4 } else { 2 }])?;
    let mut header = String::new();
    let expected = u64::from(u32::from_le_bytes(length));
    from.by_ref()
        .take(expected.min(1 << 16))
        .read_to_string(&mut header)?;
    let count = header
        .split_once("'<U")
        .and_then(|(_, rest)| rest.split_once('\''))
        .and_then(|(count, _)| count.parse::<usize>().ok())
        .filter(|&count| count <= LONGEST)
        .ok_or_else(|| wrong("it is no text"))?;
    let mut bytes = Vec::new();
    from.take(count as u64 * 4).read_to_end(&mut bytes)?;
    if bytes.len() < count * 4 {
        return Err(wrong("it ends too early"));
    }
    let text: Option<String> = bytes
        .chunks_exact(4)
        .map(|code| char::from_u32(u32::from_le_bytes([code[0], code[1], code[2], code[3]])))
        .collect();
    let text = text.ok_or_else(|| wrong("it is no text"))?;
    Ok(text.trim_end_matches('\0').to_owned())
}
