use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};

/// When a row was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Step, counted over the training.
    pub step: u64,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Batch within the epoch, from 0.
    pub batch: u32,
}

/// A matrix `[step, column]` that grows with the training but not without bound: when it is full, every second row
/// of its older half is dropped, so recent steps stay complete and old ones get sparser.
#[derive(Clone, Debug)]
pub struct History {
    moments: Vec<Moment>,
    rows: Array2<f64>,
    capacity: usize,
}

impl History {
    /// Rows kept at most.
    pub const CAPACITY: usize = 2048;

    /// An empty history of `columns` columns.
    pub fn new(columns: usize) -> Self {
        History {
            moments: Vec::new(),
            rows: Array2::zeros((0, columns)),
            capacity: Self::CAPACITY,
        }
    }

    /// Keeps so many rows at most from now on.
    pub(crate) fn limit(&mut self, capacity: usize) {
        self.capacity = capacity.clamp(2, Self::CAPACITY);
        while self.moments.len() >= self.capacity {
            self.thin();
        }
    }

    /// Numbers it holds.
    pub(crate) fn cells(&self) -> usize {
        self.rows.len()
    }

    /// Appends a row; values beyond the columns are ignored, missing ones are NaN.
    pub fn push(&mut self, moment: Moment, values: impl IntoIterator<Item = f64>) {
        if self.moments.len() >= self.capacity {
            self.thin();
        }
        let columns = self.rows.ncols();
        let mut row: Vec<f64> = values.into_iter().take(columns).collect();
        row.resize(columns, f64::NAN);
        if self.rows.push_row(ArrayView1::from(&row)).is_ok() {
            self.moments.push(moment);
        }
    }

    fn thin(&mut self) {
        let half = self.moments.len() / 2;
        let keep: Vec<usize> = (0..self.moments.len())
            .filter(|&row| row >= half || row % 2 == 0)
            .collect();
        self.rows = self.rows.select(Axis(0), &keep);
        self.moments = keep.iter().map(|&row| self.moments[row]).collect();
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// When each row was recorded.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The whole matrix.
    pub fn rows(&self) -> ArrayView2<'_, f64> {
        self.rows.view()
    }

    /// One column over time.
    pub fn column(&self, column: usize) -> ArrayView1<'_, f64> {
        self.rows.column(column)
    }

    /// The last `count` rows of one column.
    pub fn tail(&self, column: usize, count: usize) -> ArrayView1<'_, f64> {
        let from = self.len().saturating_sub(count);
        self.rows.slice(s![from.., column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_recent_rows_are_complete() {
        let mut history = History::new(1);
        for step in 0..100_000_u64 {
            history.push(
                Moment {
                    step,
                    epoch: 0,
                    batch: 0,
                },
                [step as f64],
            );
        }
        assert!(history.len() <= History::CAPACITY);
        let steps: Vec<u64> = history.moments().iter().map(|moment| moment.step).collect();
        assert!(steps.is_sorted());
        assert_eq!(steps[0], 0, "the first step is never dropped");
        let recent = &steps[steps.len() - History::CAPACITY / 4..];
        assert!(recent.windows(2).all(|pair| pair[1] == pair[0] + 1));
        assert_eq!(history.tail(0, 1)[0], 99_999.0);
    }
}
