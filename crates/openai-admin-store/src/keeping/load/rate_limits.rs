//! Loads rate limits of the organization and of projects.

use openai_admin::RateLimitId;

use super::{Load, place};
use crate::{
    base::error::{Error, Result},
    keeping::directory::DirectoryRateLimit,
    nouns::rate_limits,
};

impl Load<'_> {
    pub(super) fn load_rate_limits(&mut self) -> Result<()> {
        for (index, entry) in self.directory.rate_limits.iter().enumerate() {
            let loaded = self.load_rate_limit(entry).map_err(|error| match error {
                Error::Refused { .. } => {
                    Error::invalid_value("", format!("limits that an update accepts: {error}"))
                }
                other => other,
            });
            loaded.map_err(|error| error.within(&place("rate_limits", index)))?;
        }
        Ok(())
    }

    fn load_rate_limit(&mut self, entry: &DirectoryRateLimit) -> Result<()> {
        let resource = self.find_resource(entry.project.as_deref())?;
        if let Err(error) = RateLimitId::new(format!("rl-{}", entry.model)) {
            return Err(Error::invalid_value("model", format!("the name of a model: {error}")));
        }
        if rate_limits::set(&mut self.change, resource, &entry.model, &entry.limits)? {
            self.summary.rate_limits_changed += 1;
        }
        Ok(())
    }
}
