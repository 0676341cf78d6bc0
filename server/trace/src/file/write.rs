use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use ndarray::{Array2, ArrayView2};
use ndarray_npy::WriteNpyExt;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{
    FORMAT, FitMetadata, METADATA, Metadata, Problem, SeriesMetadata, StepsMetadata, TraceFileError, VERSION,
    array, moments_of,
};
use crate::{Fit, History, Scalar, Stat, Trace};

impl Trace {
    /// Writes everything to a `.npz` file; what was there is replaced only when that succeeds.
    pub fn write(&self, path: &Path) -> Result<(), TraceFileError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let write = || -> Result<(), Problem> {
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            self.write_to(BufWriter::new(file.as_file_mut()))?;
            // As any file that a program writes for its user.
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                file.as_file()
                    .set_permissions(std::fs::Permissions::from_mode(0o644))?;
            }
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|problem| problem.at(path))
    }

    fn write_to(&self, to: impl Write + Seek) -> Result<(), Problem> {
        let mut archive = Archive(ZipWriter::new(to));
        let mut fits = Vec::new();
        for (number, fit) in self.fits.iter().enumerate() {
            fits.push(archive.fit(&format!("fit{number}"), fit)?);
        }
        let metadata = Metadata {
            format: FORMAT.to_owned(),
            version: VERSION,
            start: self.start.clone(),
            keras: self.keras.clone(),
            exception: self.exception.clone(),
            notices: self.notices.clone(),
            exit: self.exit.clone(),
            fits,
        };
        archive.start(METADATA)?;
        array::write_text(&serde_json::to_string(&metadata)?, &mut archive.0)?;
        archive.0.finish()?.flush()?;
        Ok(())
    }
}

struct Archive<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Archive<W> {
    fn start(&mut self, name: &str) -> Result<(), Problem> {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        Ok(self.0.start_file(format!("{name}.npy"), options)?)
    }

    fn fit(&mut self, name: &str, fit: &Fit) -> Result<FitMetadata, Problem> {
        let mut steps = vec![StepsMetadata {
            array: format!("{name}/scalars"),
            columns: Scalar::ALL
                .iter()
                .map(|scalar| scalar.name().to_owned())
                .collect(),
        }];
        self.history(&steps[0].array, fit.scalars())?;
        for (metric, history) in fit.metrics() {
            let array = format!("{name}/metric/{}", plain(metric));
            self.history(&array, history)?;
            steps.push(StepsMetadata {
                array,
                columns: vec![format!("metric:{metric}")],
            });
        }
        let mut series = Vec::new();
        for (row, values) in fit.all_series() {
            let tensor = serde_json::to_value(row.tensor)?;
            let mut array = format!(
                "{name}/layer{}/{}",
                row.layer,
                tensor.as_str().unwrap_or_default()
            );
            if let Some(weight) = &row.weight {
                array = format!("{array}/{}", plain(weight));
            }
            self.history(&array, values.history())?;
            series.push(SeriesMetadata {
                array,
                layer: row.layer,
                tensor: row.tensor,
                weight: row.weight.clone(),
            });
        }
        Ok(FitMetadata {
            info: fit.info.clone(),
            epochs: fit.epochs.clone(),
            end: fit.end.clone(),
            fault: fit.fault.clone(),
            evaluated: fit.evaluated.clone(),
            gauges: fit.gauges.clone(),
            stats: Stat::ALL.iter().map(|stat| stat.name().to_owned()).collect(),
            steps,
            series,
        })
    }

    fn history(&mut self, name: &str, history: &History) -> Result<(), Problem> {
        let moments = history.moments();
        let places: Vec<i64> = moments
            .iter()
            .flat_map(|moment| {
                [
                    moment.step as i64,
                    i64::from(moment.epoch),
                    i64::from(moment.batch),
                ]
            })
            .collect();
        let places = Array2::from_shape_vec((moments.len(), 3), places);
        self.array(
            &moments_of(name),
            places.map_err(|error| Problem::array(name, error))?.view(),
        )?;
        self.array(name, history.rows())
    }

    fn array<T: ndarray_npy::WritableElement>(
        &mut self,
        name: &str,
        array: ArrayView2<'_, T>,
    ) -> Result<(), Problem> {
        self.start(name)?;
        let written = array.write_npy(BufWriter::new(&mut self.0));
        written.map_err(|error| Problem::array(name, error))
    }
}

/// The name without what would make it a path.
fn plain(name: &str) -> String {
    name.replace(['/', '\\', ':'], "_")
}
