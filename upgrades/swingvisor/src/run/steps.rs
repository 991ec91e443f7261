//! The steps of a switch. Each can be performed twice: a crash after it and before the journal's next stage makes it so.

use std::io;

use serde_json::json;

use super::{
    Supervisor,
    arguments::transfer,
    check::{self, Checked},
    hooks,
};
use crate::{
    backup,
    core::{Journal, Plan, Slot, Stage, Upgrade},
    fetch::{FetchError, Installer},
    files, home,
};

impl Supervisor {
    pub(super) fn store(&self, journal: &Journal) -> io::Result<()> {
        home::store_journal(self.files.as_ref(), &self.config.layout, journal)
    }

    pub(super) fn link(&self, slot: &Slot) -> io::Result<()> {
        let layout = &self.config.layout;
        files::replace_link(self.files.as_ref(), &layout.slot(slot), &layout.link())
    }

    pub(super) fn fetch(&mut self, plan: &Plan, slot: &Slot) -> io::Result<()> {
        let transfer = transfer(&self.config, &self.told);
        let installer = Installer {
            files: self.files.as_ref(),
            layout: &self.config.layout,
            prober: &self.prober,
            transfer: &transfer,
        };
        match installer.fetch(plan, slot) {
            Ok(identity) => {
                tracing::info!(plan = plan.name, release = identity.release, sha256 = identity.sha256, "downloaded");
                self.facts.asked.remove(slot);
                Ok(())
            }
            Err(FetchError::System { what, source }) => Err(io::Error::new(source.kind(), format!("{what}: {source}"))),
            Err(error) => {
                tracing::error!(plan = plan.name, %error, "the download failed");
                self.facts.fetch_failed = Some(error.to_string());
                Ok(())
            }
        }
    }

    pub(super) fn begin(&mut self, upgrade: Upgrade) -> io::Result<()> {
        tracing::info!(from = %upgrade.from, to = %upgrade.to, height = upgrade.committed_height, reason = ?upgrade.reason, "a switch begins");
        self.tell("switch-begun", &upgrade);
        self.wait(self.config.restart_delay_ms);
        self.store(&Journal { upgrade: Some(upgrade), ..self.journal.clone() })
    }

    pub(super) fn backup(&mut self) -> io::Result<()> {
        let Some(upgrade) = &self.journal.upgrade else { return Ok(()) };
        let mut folder = None;
        if self.facts.policy.backup && upgrade.plan().is_some() {
            let layout = &self.config.layout;
            let database = self.prober.home.join("data").join("application.db");
            let made = backup::make(self.files.as_ref(), &database, layout.backups(), upgrade)?;
            folder = made.map(|path| path.display().to_string());
            tracing::info!(folder, "backup");
        }
        self.store(&self.journal.at(Stage::BackedUp { folder }))
    }

    pub(super) fn check(&mut self) -> io::Result<()> {
        let Some(upgrade) = self.journal.upgrade.clone() else { return Ok(()) };
        let backup = match &upgrade.stage {
            Stage::BackedUp { folder } => folder.clone(),
            Stage::Begun | Stage::Checked { .. } | Stage::Switched { .. } => None,
        };
        if let Some(plan) = upgrade.plan() {
            let binary = self.config.layout.binary(&upgrade.to);
            let mut checked = check::custom(&self.config, self.files.as_ref(), plan, &self.told);
            // A binary that stands by was asked both things at once, when the node before was dead.
            if let Checked::GoOn = checked
                && !self.standby_agrees(&upgrade.to)
            {
                checked = check::pre_upgrade(&self.config, &binary, &self.prober.home, &self.told);
            }
            match checked {
                Checked::GoOn => {}
                Checked::Refused(reason) => {
                    tracing::error!(reason, "the upgrade is refused; the link stays");
                    self.facts.refused = Some(reason);
                    return Ok(());
                }
                Checked::Again(reason) => return Err(io::Error::other(reason)),
            }
        }
        self.store(&self.journal.at(Stage::Checked { backup }))
    }

    pub(super) fn switch(&mut self) -> io::Result<()> {
        let Some(upgrade) = self.journal.upgrade.clone() else { return Ok(()) };
        let backup = match &upgrade.stage {
            Stage::BackedUp { folder: backup } | Stage::Checked { backup } | Stage::Switched { backup } => {
                backup.clone()
            }
            Stage::Begun => None,
        };
        hooks::run(&self.config, "before-switch", self.config.hook_before_switch.as_deref(), &upgrade, &self.told);
        if let Some(plan) = upgrade.plan() {
            // cosmovisor knows by this file what runs; an operator may go back to it.
            let info =
                json!({ "name": plan.name, "time": "0001-01-01T00:00:00Z", "height": plan.height, "info": plan.info });
            let path = self.config.layout.slot_info_file(&upgrade.to);
            files::replace_file(self.files.as_ref(), &path, info.to_string().as_bytes())?;
        }
        self.link(&upgrade.to)?;
        self.store(&self.journal.at(Stage::Switched { backup }))
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Some(upgrade) = self.journal.upgrade.clone() else { return Ok(()) };
        hooks::run(&self.config, "after-switch", self.config.hook_after_switch.as_deref(), &upgrade, &self.told);
        self.store(&self.journal.finished())?;
        tracing::info!(to = %upgrade.to, "the switch is done");
        self.tell("switch-done", &upgrade);
        (self.facts.crashes, self.rests) = (0, 0);
        // What was asked of the new binary still holds: no node ran since.
        self.facts.just_switched = upgrade.plan().is_some();
        Ok(())
    }

    fn tell(&self, event: &str, upgrade: &Upgrade) {
        self.webhook.tell(json!({ "event": event, "switch": upgrade }));
    }
}
