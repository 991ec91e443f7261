//! `config`: reads and changes `client.toml`, and reads the other files.

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::{
    Context, Failure,
    output::{self, Format},
};
use crate::config::{ConfigError, client, toml_file::TomlFile};

/// Which file.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Which {
    /// client.toml
    Client,
    /// app.toml
    App,
    /// config.toml
    Config,
}

/// Commands of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show a setting, such as `config get client chain-id`
    Get {
        /// The file
        file: Which,
        /// The setting, sections before it with dots
        key: String,
    },
    /// Change a setting, such as `config set client chain-id test-1`
    Set {
        /// The file
        file: Which,
        /// The setting, sections before it with dots
        key: String,
        /// Its new value
        value: String,
    },
    /// Show the settings of the client commands
    View {
        /// Form of the answer
        #[arg(short, long, value_enum, default_value = "json")]
        output: Format,
    },
    /// Show the home directory
    Home,
}

/// Runs one.
pub fn run(context: &Context, command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Get { file, key } => {
            let file = open(context, *file)?;
            output::line(&file.get(key).ok_or_else(|| missing(key, &file))?)
        }
        ConfigCommand::Set { file, key, value } => {
            let mut opened = open(context, *file)?;
            match file {
                Which::Client => client::check_setting(key, value)?,
                Which::App | Which::Config => {
                    opened.get(key).ok_or_else(|| missing(key, &opened))?;
                }
            }
            opened.set(key, value)?;
            Ok(opened.save()?)
        }
        ConfigCommand::View { output } => {
            let file = client::open(&context.home)?;
            let settings =
                client::SETTINGS.iter().map(|key| ((*key).to_owned(), Value::from(file.get(key).unwrap_or_default())));
            output::value(*output, &Value::Object(settings.collect()))
        }
        ConfigCommand::Home => output::line(&context.home.root().display().to_string()),
    }
}

fn open(context: &Context, file: Which) -> Result<TomlFile, ConfigError> {
    match file {
        Which::Client => client::open(&context.home),
        Which::App => TomlFile::load(context.home.app_toml()),
        Which::Config => TomlFile::load(context.home.config_toml()),
    }
}

fn missing(key: &str, file: &TomlFile) -> Failure {
    Failure::new(format!("no setting {key:?} in {}", file.path().display()))
}
