//! Which sockets a node will want: its flags, else its files. Source: swingd's sections `api` and `grpc` of app.toml.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use crate::{run::value_of, toml_text};

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `api`, `grpc` or `rpc`.
    pub name: &'static str,
    /// `host:port`.
    pub address: String,
}

/// What a node that is started with `arguments` on `home` listens at. A file that cannot be read counts as empty: the node will say so.
#[must_use]
pub fn wanted(home: &Path, arguments: &[OsString]) -> Vec<Wanted> {
    let file = |name: &str| toml_text::read(&home.join("config").join(name)).unwrap_or_default();
    let app = file("app.toml");
    let mut wanted = Vec::new();
    for (name, default) in [("api", "tcp://localhost:1317"), ("grpc", "localhost:9090")] {
        let on = flag(arguments, &format!("--{name}.enable"))
            .or_else(|| toml_text::value(&app, name, "enable").map(|text| text == "true"));
        let address = value_of(arguments, &format!("--{name}.address"))
            .and_then(|text| text.into_string().ok())
            .or_else(|| toml_text::value(&app, name, "address"));
        if on == Some(true) {
            wanted.extend(socket(name, address.as_deref().unwrap_or(default)));
        }
    }
    if value_of(arguments, "--engine").is_some_and(|engine| engine == OsStr::new("solo")) {
        let laddr = toml_text::value(&file("config.toml"), "rpc", "laddr");
        wanted.extend(socket("rpc", laddr.as_deref().unwrap_or("tcp://127.0.0.1:26657")));
    }
    wanted
}

/// None for an address that is none, or whose port only the node will know.
fn socket(name: &'static str, address: &str) -> Option<Wanted> {
    let address = address.strip_prefix("tcp://").unwrap_or(address);
    let port = address.rsplit_once(':')?.1.parse::<u16>().ok()?;
    (port != 0).then(|| Wanted { name, address: address.to_owned() })
}

/// A flag that is there, with or without a value.
fn flag(arguments: &[OsString], name: &str) -> Option<bool> {
    arguments.iter().find_map(|argument| match argument.to_str()?.strip_prefix(name)? {
        "" => Some(true),
        value => value.strip_prefix('=')?.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_those_of_the_flags_and_else_of_the_files() {
        let home = tempfile::tempdir().expect("a folder");
        let check = |arguments: &str, expected: &[(&str, &str)]| {
            let arguments: Vec<OsString> = arguments.split(' ').map(Into::into).collect();
            let found = wanted(home.path(), &arguments);
            let found: Vec<_> = found.iter().map(|wanted| (wanted.name, wanted.address.as_str())).collect();
            assert_eq!(found, expected, "{arguments:?}");
        };
        check("start", &[]);
        check("start --api.enable --grpc.enable=false", &[("api", "localhost:1317")]);
        std::fs::create_dir(home.path().join("config")).expect("a folder");
        let write =
            |name: &str, text: &str| std::fs::write(home.path().join("config").join(name), text).expect("written");
        write(
            "app.toml",
            "[api]\nenable = false\naddress = \"tcp://0.0.0.0:1\"\n[grpc]\nenable = true\naddress = \"h:2\"\n",
        );
        write("config.toml", "[rpc]\nladdr = \"tcp://127.0.0.1:3\"\n");
        check("start --engine cometbft", &[("grpc", "h:2")]);
        check("start --engine=solo --grpc.enable=false", &[("rpc", "127.0.0.1:3")]);
        check("start --api.enable=true --grpc.address h:5", &[("api", "0.0.0.0:1"), ("grpc", "h:5")]);
        check("start --api.enable --api.address tcp://h:0", &[("grpc", "h:2")]);
    }
}
