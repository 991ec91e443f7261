//! The configuration, a `NAME: value` a line: cosmovisor's variables in its order and notation, then ours, then what follows from them.

use crate::{
    config::Config,
    core::{Policy, Slot},
};

/// What `config` prints.
pub(super) fn lines(config: &Config) -> String {
    let (layout, policy) = (&config.layout, &config.policy);
    let root = [
        ("Root Dir", layout.root()),
        ("Upgrade Dir", layout.upgrades()),
        ("Genesis Bin", layout.binary(&Slot::Genesis)),
        ("Data Backup Dir", layout.backups().to_owned()),
    ];
    let mut text = "Configurable Values:\n".to_owned();
    for (name, value) in cosmovisors(config, policy).into_iter().chain(ours(config, policy)) {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    text.push_str("Derived Values:\n");
    for (name, path) in root {
        text.push_str(&format!("  {name:>15}: {}\n", path.display()));
    }
    text
}

/// The variables of cosmovisor 1.5.
fn cosmovisors(config: &Config, policy: &Policy) -> [(&'static str, String); 16] {
    let layout = &config.layout;
    [
        ("DAEMON_HOME", layout.home().display().to_string()),
        ("DAEMON_NAME", layout.name().to_owned()),
        ("DAEMON_ALLOW_DOWNLOAD_BINARIES", policy.download.to_string()),
        // Whatever it is set to: see `config`.
        ("DAEMON_DOWNLOAD_MUST_HAVE_CHECKSUM", true.to_string()),
        ("DAEMON_RESTART_AFTER_UPGRADE", policy.restart_after_upgrade.to_string()),
        ("DAEMON_RESTART_DELAY", duration(config.restart_delay_ms)),
        ("DAEMON_SHUTDOWN_GRACE", duration(config.shutdown_grace_ms)),
        ("DAEMON_POLL_INTERVAL", duration(config.poll_interval_ms)),
        ("UNSAFE_SKIP_BACKUP", (!policy.backup).to_string()),
        ("DAEMON_DATA_BACKUP_DIR", layout.backups().display().to_string()),
        ("DAEMON_PREUPGRADE_MAX_RETRIES", config.pre_upgrade_retries_max.to_string()),
        ("COSMOVISOR_DISABLE_LOGS", config.disable_logs.to_string()),
        ("COSMOVISOR_COLOR_LOGS", config.color_logs.map_or_else(|| "on a terminal".to_owned(), |on| on.to_string())),
        ("COSMOVISOR_TIMEFORMAT_LOGS", config.log_time.layout().to_owned()),
        ("COSMOVISOR_CUSTOM_PREUPGRADE", config.custom_pre_upgrade.clone().unwrap_or_default()),
        ("COSMOVISOR_DISABLE_RECASE", policy.keep_case.to_string()),
    ]
}

fn ours(config: &Config, policy: &Policy) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        ("SWINGVISOR_MODE", config.mode.name().to_owned()),
        ("SWINGVISOR_ABCI", text(&config.abci)),
        ("SWINGVISOR_LISTEN", config.listen.map(|address| address.to_string()).unwrap_or_default()),
        ("SWINGVISOR_WEBHOOK", text(&config.webhook)),
        ("SWINGVISOR_HOOK_BEFORE_SWITCH", text(&config.hook_before_switch)),
        ("SWINGVISOR_HOOK_AFTER_SWITCH", text(&config.hook_after_switch)),
        ("SWINGVISOR_HOOK_TIMEOUT", duration(config.hook_timeout_ms)),
        ("SWINGVISOR_PROBE_TIMEOUT", duration(config.probe_timeout_ms)),
        ("SWINGVISOR_PREUPGRADE_TIMEOUT", duration(config.pre_upgrade_timeout_ms)),
        ("SWINGVISOR_START_TIMEOUT", duration(config.start_timeout_ms)),
        ("SWINGVISOR_STOP_GRACE", duration(policy.stop_grace_ms)),
        ("SWINGVISOR_PARKED_LIMIT", duration(config.parked_limit_ms)),
        ("SWINGVISOR_CLIENT_WAIT", duration(config.client_wait_ms)),
        ("SWINGVISOR_STANDBY", config.standby.to_string()),
        ("SWINGVISOR_HOLD_SOCKETS", config.hold_sockets.to_string()),
        ("SWINGVISOR_RESTARTS_MAX", policy.restarts_max.to_string()),
        ("SWINGVISOR_BACKOFF_MIN", duration(policy.backoff_min_ms)),
        ("SWINGVISOR_BACKOFF_MAX", duration(policy.backoff_max_ms)),
        ("SWINGVISOR_DOWNLOAD_BYTES_MAX", config.download_bytes_max.to_string()),
        (
            "SWINGVISOR_ACCEPT_SHA256",
            config.accepted.as_ref().map(|digest| digest.parts().1.to_owned()).unwrap_or_default(),
        ),
        ("SSL_CERT_FILE", config.certificates.as_ref().map(|path| path.display().to_string()).unwrap_or_default()),
    ]
}

/// A duration as Go writes it.
fn duration(ms: u64) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    if seconds == 0 {
        return if rest == 0 { "0s".to_owned() } else { format!("{rest}ms") };
    }
    let fraction = format!(".{rest:03}");
    let seconds_text = format!("{}{}s", seconds % 60, fraction.trim_end_matches('0').trim_end_matches('.'));
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => seconds_text,
        (0, minutes) => format!("{minutes}m{seconds_text}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds_text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (ms, expected) in [
            (0, "0s"),
            (300, "300ms"),
            (1_500, "1.5s"),
            (60_000, "1m0s"),
            (5_400_000, "1h30m0s"),
            (3_600_001, "1h0m0.001s"),
        ] {
            assert_eq!(duration(ms), expected);
        }
    }
}
