//! The sections `api` and `grpc` of `app.toml`, and the flags before them. Source: the SDK's `server/config`.
//!
//! One default differs: where `app.toml` has no setting `grpc.enable`, gRPC is off. A home of before gRPC was served must not have a
//! port opened by an upgrade; a new home's file has it on, as the SDK's.

use std::{str::FromStr, time::Duration};

use clap::Args;

use crate::config::toml_file::TomlFile;

/// How long a call may take where `rpc-write-timeout` is 0.
const CALL_TIME_MAX: Duration = Duration::from_secs(30);

/// Flags of `start`. What is not given is taken from app.toml.
#[derive(Args, Clone, Debug, Default)]
pub struct ApiFlags {
    /// Serve REST
    #[arg(long = "api.enable", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub api_enable: Option<bool>,
    /// Where REST is served: tcp://host:port
    #[arg(long = "api.address", value_name = "ADDRESS")]
    pub api_address: Option<String>,
    /// Let web pages of any origin use REST
    #[arg(long = "api.enabled-unsafe-cors", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub api_cors: Option<bool>,
    /// Serve gRPC
    #[arg(long = "grpc.enable", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub grpc_enable: Option<bool>,
    /// Where gRPC is served: host:port
    #[arg(long = "grpc.address", value_name = "ADDRESS")]
    pub grpc_address: Option<String>,
}

/// REST's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// Where to listen: `host:port`.
    pub address: String,
    /// Connections at once.
    pub connections_max: usize,
    /// How long a request's body may take to arrive.
    pub read_time_max: Duration,
    /// How long a call may take.
    pub call_time_max: Duration,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Whether pages of any origin may read answers.
    pub open_to_all: bool,
}

/// gRPC's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcConfig {
    /// Where to listen: `host:port`.
    pub address: String,
    /// Bytes of a request.
    pub request_bytes_max: usize,
    /// Bytes of a response.
    pub response_bytes_max: usize,
}

/// What is served to clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientsConfig {
    /// REST, where it is.
    pub api: Option<ApiConfig>,
    /// gRPC, where it is.
    pub grpc: Option<GrpcConfig>,
}

impl ClientsConfig {
    /// The settings: a flag, else the file, else the SDK's default.
    ///
    /// # Errors
    /// Which setting makes no sense.
    pub fn load(file: Option<&TomlFile>, flags: &ApiFlags) -> Result<Self, String> {
        let settings = Settings(file);
        let api = flags.api_enable.map_or_else(|| settings.parsed("api.enable", false), Ok)?;
        let grpc = flags.grpc_enable.map_or_else(|| settings.parsed("grpc.enable", false), Ok)?;
        Ok(ClientsConfig {
            api: api.then(|| settings.api(flags)).transpose()?,
            grpc: grpc.then(|| settings.grpc(flags)).transpose()?,
        })
    }
}

struct Settings<'a>(Option<&'a TomlFile>);

impl Settings<'_> {
    fn api(&self, flags: &ApiFlags) -> Result<ApiConfig, String> {
        let call_time_max = Duration::from_secs(self.parsed("api.rpc-write-timeout", 0)?);
        Ok(ApiConfig {
            address: self.address("api.address", flags.api_address.as_ref(), "tcp://localhost:1317")?,
            connections_max: self.parsed("api.max-open-connections", 1000)?,
            read_time_max: Duration::from_secs(self.parsed("api.rpc-read-timeout", 10)?),
            call_time_max: if call_time_max.is_zero() { CALL_TIME_MAX } else { call_time_max },
            body_bytes_max: self.parsed("api.rpc-max-body-bytes", 1_000_000)?,
            open_to_all: flags.api_cors.map_or_else(|| self.parsed("api.enabled-unsafe-cors", false), Ok)?,
        })
    }

    fn grpc(&self, flags: &ApiFlags) -> Result<GrpcConfig, String> {
        Ok(GrpcConfig {
            address: self.address("grpc.address", flags.grpc_address.as_ref(), "localhost:9090")?,
            request_bytes_max: self.parsed("grpc.max-recv-msg-size", 10 << 20)?,
            response_bytes_max: self.parsed("grpc.max-send-msg-size", 0x7fff_ffff)?,
        })
    }

    fn text(&self, key: &str) -> Option<String> {
        self.0.and_then(|file| file.get(key))
    }

    fn parsed<T: FromStr>(&self, key: &str, default: T) -> Result<T, String> {
        match self.text(key) {
            None => Ok(default),
            Some(text) => text.trim().parse().map_err(|_| {
                format!("{key}: {text:?} is not a {}", std::any::type_name::<T>().replace("usize", "number"))
            }),
        }
    }

    /// `host:port`, with or without `tcp://`.
    fn address(&self, key: &str, flag: Option<&String>, default: &str) -> Result<String, String> {
        let text = flag.cloned().or_else(|| self.text(key)).unwrap_or_else(|| default.to_owned());
        let place = text.strip_prefix("tcp://").unwrap_or(&text);
        match place.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(place.to_owned()),
            _ => Err(format!("{key}: {text:?} is not an address such as {default}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Home, app};

    fn file(edit: &[(&str, &str)]) -> TomlFile {
        let mut file = app::new_file(&Home::new("/nowhere")).expect("the template is valid");
        for (key, text) in edit {
            file.set(key, text).expect("a setting");
        }
        file
    }

    #[test]
    fn a_new_home_serves_grpc_on_loopback_and_no_rest_and_an_old_one_neither() {
        let flags = ApiFlags::default();
        let config = ClientsConfig::load(Some(&file(&[])), &flags).expect("the template's");
        assert_eq!(config.api, None);
        assert_eq!(config.grpc.expect("it is on").address, "localhost:9090");
        let old = TomlFile::from_text("app.toml", "pruning = \"default\"\n").expect("TOML");
        for file in [None, Some(&old)] {
            assert_eq!(ClientsConfig::load(file, &flags).expect("defaults"), ClientsConfig::default());
        }
    }

    #[test]
    fn the_templates_values_are_the_defaults() {
        let on = file(&[("api.enable", "true")]);
        let flags = ApiFlags { api_enable: Some(true), grpc_enable: Some(true), ..ApiFlags::default() };
        let from_file = ClientsConfig::load(Some(&on), &ApiFlags::default()).expect("the template's");
        assert_eq!(from_file, ClientsConfig::load(None, &flags).expect("the defaults"));
    }

    #[test]
    fn flags_come_before_the_file_and_what_is_wrong_is_named() {
        let set = file(&[("api.enable", "true"), ("api.address", "tcp://0.0.0.0:1")]);
        let flags = ApiFlags {
            api_address: Some("tcp://127.0.0.1:5".to_owned()),
            grpc_enable: Some(false),
            ..ApiFlags::default()
        };
        let config = ClientsConfig::load(Some(&set), &flags).expect("settings");
        assert_eq!((config.api.expect("it is on").address.as_str(), config.grpc), ("127.0.0.1:5", None));
        let wrong = file(&[("grpc.address", "9090")]);
        let error = ClientsConfig::load(Some(&wrong), &ApiFlags::default()).expect_err("no port");
        assert_eq!(error, "grpc.address: \"9090\" is not an address such as localhost:9090");
        let wrong = file(&[("grpc.max-recv-msg-size", "much")]);
        let error = ClientsConfig::load(Some(&wrong), &ApiFlags::default()).expect_err("no number");
        assert_eq!(error, "grpc.max-recv-msg-size: \"much\" is not a number");
    }
}
