//! Where this user's things lie. With `--data-dir` all of them are below it, so that a test shares nothing with anybody.

use std::path::PathBuf;

use countersign_app::desk::{DeskError, Home, LedgerDir};
use countersign_app::durable::{self, FileError};
use directories::ProjectDirs;

use crate::options::Options;

/// The directories of one user.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The desks and their keys.
    pub(crate) home: Home,
    /// Settings, drafts, recent ledgers, where the windows stood.
    pub(crate) config: PathBuf,
    /// The sample ledger.
    pub(crate) sample: PathBuf,
    /// What the web view keeps.
    pub(crate) web: PathBuf,
}

impl Places {
    /// Finds the directories and makes them.
    ///
    /// # Errors
    /// The platform names none, or they cannot be made.
    pub(crate) fn find(options: &Options) -> Result<Self, DeskError> {
        let places = match &options.data_dir {
            Some(dir) => {
                let dir = std::path::absolute(dir).map_err(FileError::io("find", dir))?;
                let [config, sample, web] = ["config", "sample", "web"].map(|name| dir.join(name));
                Self { home: Home::at(dir), config, sample, web }
            }
            None => {
                let dirs = ProjectDirs::from("", "", "Countersign").ok_or(DeskError::NoHome)?;
                Self {
                    home: Home::find()?,
                    config: dirs.config_dir().to_owned(),
                    sample: dirs.data_local_dir().join("sample"),
                    web: dirs.data_local_dir().join("web"),
                }
            }
        };
        durable::create_private_dir(&places.config)?;
        durable::create_private_dir(&places.web)?;
        Ok(places)
    }

    /// Tells whether the sample was made already.
    pub(crate) fn has_sample(&self) -> bool {
        LedgerDir::at(&self.sample).database().exists()
    }

    /// Where sizes and places of the windows are kept.
    pub(crate) fn windows(&self) -> PathBuf {
        self.config.join("windows.json")
    }

    /// Tells whether this user wants the web view to do without the GPU: read before there is anything to ask.
    pub(crate) fn wants_software_rendering(&self) -> bool {
        let settings = std::fs::read(self.config.join("settings.json")).ok();
        let settings: Option<serde_json::Value> = settings.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        settings.is_some_and(|settings| settings["softwareRendering"] == true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_holds_everything() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { data_dir: Some(dir.path().join("data")), ..Options::default() };
        let places = Places::find(&options).unwrap();
        for place in [places.home.path(), &places.config, &places.sample, &places.web, &places.windows()] {
            assert!(place.starts_with(dir.path().join("data")), "{}", place.display());
        }
        assert!(!places.wants_software_rendering());
        std::fs::write(places.config.join("settings.json"), br#"{"softwareRendering": true}"#).unwrap();
        assert!(places.wants_software_rendering());
        std::fs::write(places.config.join("settings.json"), b"{").unwrap();
        assert!(!places.wants_software_rendering(), "what cannot be read is no wish");
    }
}
