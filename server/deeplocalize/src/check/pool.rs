//! Work shared between threads, with a time limit for each piece.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Sign of life of a worker.
enum Sign<T> {
    Began(usize),
    Done(usize, T),
}

/// Does pieces `0..count` of some work on all processors. `None` for a piece that took longer than `limit`: a thread cannot
/// be ended from outside, so it is left behind and another takes its place.
pub fn each<T: Send + 'static>(
    count: usize,
    limit: Duration,
    work: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<Option<T>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count);
    let (signs, inbox) = channel();
    let crew = Crew {
        count,
        next: Arc::default(),
        work: Arc::new(work),
        signs,
    };
    for _ in 0..threads {
        crew.hire();
    }
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    let mut running: HashMap<usize, Instant> = HashMap::new();
    let mut open = count;
    while open > 0 {
        let oldest = running.values().min().copied();
        let wait = oldest.map_or(limit, |began| {
            (began + limit).saturating_duration_since(Instant::now())
        });
        match inbox.recv_timeout(wait) {
            Ok(Sign::Began(piece)) => {
                running.insert(piece, Instant::now());
            }
            Ok(Sign::Done(piece, result)) => {
                if running.remove(&piece).is_some() {
                    open -= 1;
                    if let Some(place) = results.get_mut(piece) {
                        *place = Some(result);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let before = running.len();
                running.retain(|_, began| began.elapsed() < limit);
                for _ in running.len()..before {
                    open -= 1;
                    crew.hire();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    results
}

struct Crew<T, F> {
    count: usize,
    next: Arc<AtomicUsize>,
    work: Arc<F>,
    signs: Sender<Sign<T>>,
}

impl<T: Send + 'static, F: Fn(usize) -> T + Send + Sync + 'static> Crew<T, F> {
    fn hire(&self) {
        let (count, next, work, signs) = (
            self.count,
            Arc::clone(&self.next),
            Arc::clone(&self.work),
            self.signs.clone(),
        );
        thread::spawn(move || {
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if piece >= count || signs.send(Sign::Began(piece)).is_err() {
                    return;
                }
                if signs.send(Sign::Done(piece, work(piece))).is_err() {
                    return;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        let squares = each(500, Duration::from_secs(10), |piece| piece * piece);
        assert!(
            squares
                .iter()
                .enumerate()
                .all(|(piece, square)| *square == Some(piece * piece))
        );
        assert_eq!(each(0, Duration::from_secs(1), |piece| piece), []);
    }

    #[test]
    fn pieces_that_take_too_long_are_left_behind() {
        let slow = [2, 5, 6, 7];
        let began = Instant::now();
        let results = each(20, Duration::from_millis(200), move |piece| {
            if slow.contains(&piece) {
                thread::sleep(Duration::from_secs(20));
            }
            piece
        });
        for (piece, result) in results.iter().enumerate() {
            assert_eq!(result.is_none(), slow.contains(&piece), "{piece}");
        }
        assert!(began.elapsed() < Duration::from_secs(15));
    }
}
