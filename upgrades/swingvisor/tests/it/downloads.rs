//! Downloads: over real TLS on loopback, from files, out of archives, and those that are refused.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::Arc,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use swingvisor::program;

use crate::support::{Home, copy, until, write_node};

fn certificates(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/certificates").join(name)
}

/// Serves these bytes to every GET, over TLS, on loopback; gives the port. It ends with the test's process.
fn serve(content: Vec<u8>) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(certificates("certificate.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(certificates("key.pem")).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("a server");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            // A client that does not trust the certificate goes away; the next one may stay.
            let _ = answer(stream, &config, &content);
        }
    });
    port
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>, content: &[u8]) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = [0_u8; 4096];
    let _ = stream.read(&mut request)?;
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", content.len())?;
    stream.write_all(content)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// An info that names this address for this platform.
fn info(url: &str) -> String {
    let mut binaries = serde_json::Map::new();
    binaries.insert(program::platform(), url.into());
    json!({ "binaries": binaries }).to_string()
}

/// The bytes of version-2's program.
fn version_2(home: &Home) -> Vec<u8> {
    let file = home.at("release/toyd");
    write_node(&file, "--release 2");
    fs::read(file).expect("the file")
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len().try_into().expect("small"));
        header.set_mode(0o644);
        // As it is: `set_path` would refuse what a hostile archive has.
        header.as_gnu_mut().expect("gnu").name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).expect("appended");
    }
    tar.into_inner().expect("a tar").finish().expect("a gzip")
}

const DOWNLOADS: (&str, &str) = ("DAEMON_ALLOW_DOWNLOAD_BINARIES", "true");

/// The environment of a machine that trusts the test's certificates.
fn trusting() -> Vec<(&'static str, String)> {
    vec![
        ("DAEMON_ALLOW_DOWNLOAD_BINARIES", "true".to_owned()),
        ("SSL_CERT_FILE", certificates("ca.pem").display().to_string()),
    ]
}

#[track_caller]
fn upgrade(home: &Home, info: &str) {
    home.set_state(&json!({ "plan": Home::plan(8, info) }));
    let variables = trusting();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (code, said) = home.supervise(&variables);
    assert_eq!(code, Some(0), "{said}");
    home.check_upgraded();
}

#[test]
fn a_binary_is_downloaded_over_tls_verified_and_switched_to() {
    let home = Home::new();
    let binary = version_2(&home);
    let port = serve(binary.clone());
    upgrade(&home, &info(&format!("https://localhost:{port}/toyd?checksum=sha256:{}", digest(&binary))));
    assert_eq!(fs::read(home.at("cosmovisor/upgrades/version-2/bin/toyd")).expect("installed"), binary);
}

#[test]
fn the_info_may_point_at_a_list_that_has_a_checksum_too() {
    let home = Home::new();
    let binary = version_2(&home);
    let list = info(&format!("https://localhost:{}/toyd?checksum=sha256:{}", serve(binary.clone()), digest(&binary)));
    let port = serve(list.clone().into_bytes());
    upgrade(&home, &format!("https://localhost:{port}/list.json?checksum=sha256:{}", digest(list.as_bytes())));
}

#[test]
fn the_binary_is_taken_out_of_an_archive_and_no_other_path_is_written() {
    for path in ["bin/toyd", "toyd", "./bin/toyd"] {
        let home = Home::new();
        let content = archive(&[("../../escaped", b"outside"), ("README", b"hello"), (path, &version_2(&home))]);
        let file = home.at("release.tar.gz");
        fs::write(&file, &content).expect("written");
        upgrade(&home, &info(&format!("file://{}?checksum=sha256:{}", file.display(), digest(&content))));
        let own: Vec<_> = fs::read_dir(home.at("cosmovisor/upgrades/version-2")).expect("a folder").collect();
        assert_eq!(own.len(), 2, "bin and upgrade-info.json: {own:?}");
        for folder in ["", "cosmovisor", "cosmovisor/swingvisor", "cosmovisor/upgrades"] {
            assert!(!home.at(folder).join("escaped").exists());
        }
    }
}

/// What was taken out of an archive is known, whatever the address is called: another build in its place is refused.
#[test]
fn a_binary_out_of_an_archive_is_held_against_what_was_in_it() {
    for name in ["release.tar.gz", "download"] {
        let home = Home::new();
        let content = archive(&[("bin/toyd", &version_2(&home))]);
        let file = home.at(name);
        fs::write(&file, &content).expect("written");
        let info = info(&format!("file://{}?checksum=sha256:{}", file.display(), digest(&content)));
        home.set_state(&json!({ "committed_height": 7, "plan": Home::plan(8, &info) }));
        assert!(home.run(&["prepare-upgrade"], &[DOWNLOADS]).status.success(), "{name}");
        let slot = home.at("cosmovisor/upgrades/version-2/bin/toyd");
        let downloaded = copy(&slot, &home.at("downloaded"));
        write_node(&slot, "--release 2 --ignores-term");
        let refused = home.run(&["prepare-upgrade"], &[]);
        assert!(String::from_utf8_lossy(&refused.stderr).contains("the plan names"), "{name}: {refused:?}");
        fs::rename(&downloaded, &slot).expect("in place");
        assert_eq!(home.supervise(&[]).0, Some(0), "{name}");
        home.check_upgraded();
    }
    // Who has the archive from elsewhere is believed: its checksum says nothing of what is in it.
    let home = Home::new();
    home.put("upgrades/version-2", "--release 2");
    upgrade(&home, &info(&format!("file:///release.tar.gz?checksum=sha256:{}", digest(b"an archive"))));
}

/// What is refused leaves the slot empty and the node where it was, and says why.
#[track_caller]
fn check_refused(home: &Home, info: &str, variables: &[(&str, &str)], word: &str) {
    home.set_state(&json!({ "committed_height": 7, "plan": Home::plan(8, info) }));
    let running = home.start(variables);
    until(word, || home.said().contains(word).then_some(()));
    drop(running);
    assert!(!home.at("cosmovisor/upgrades/version-2/bin/toyd").exists(), "{word}");
    assert!(home.current().ends_with("genesis"), "{word}");
}

#[test]
fn a_download_that_is_not_what_the_plan_says_is_named_and_not_used() {
    let home = Home::new();
    let binary = version_2(&home);
    let put = |name: &str, content: &[u8]| {
        let file = home.at(name);
        fs::write(&file, content).expect("written");
        format!("file://{}?checksum=sha256:{}", file.display(), digest(content))
    };
    let mut foreign = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    foreign.extend([if cfg!(target_arch = "aarch64") { 62 } else { 183 }, 0]);
    let wrong = digest(b"something else");
    let good = put("good", &binary);
    for (url, word) in [
        (good.replace(&digest(&binary), &wrong), format!("has SHA-256 {}, the plan says {wrong}", digest(&binary))),
        (good.split('?').next().unwrap_or_default().to_owned(), "nothing is used without".to_owned()),
        (put("foreign", &foreign), "the wrong platform's file".to_owned()),
        (put("page", b"<html>not found</html>"), "it is no program".to_owned()),
        (put("crashing", b"#!/bin/sh\necho broken >&2\nexit 139\n"), "broken".to_owned()),
        (put("empty.tar.gz", &archive(&[("README", b"hello")])), "neither bin/toyd nor toyd".to_owned()),
        (put("zip", b"PK\x03\x04rest"), "a zip".to_owned()),
        ("file:///nowhere/at/all?checksum=sha256:".to_owned() + &wrong, "No such file".to_owned()),
    ] {
        check_refused(&home, &info(&url), &[DOWNLOADS], &word);
    }
    check_refused(&home, r#"{"binaries":{"plan9/mips":"https://x"}}"#, &[DOWNLOADS], "only for plan9/mips");
    check_refused(&home, &info(&good), &[DOWNLOADS, ("SWINGVISOR_DOWNLOAD_BYTES_MAX", "10")], "larger than 10 bytes");
    check_refused(&home, &info(&good), &[], "swingvisor add-upgrade version-2");
}

#[test]
fn a_hanging_binary_is_given_up_after_its_time() {
    let home = Home::new();
    let content = b"#!/bin/sh\nexec sleep 1000\n";
    let file = home.at("hanging");
    fs::write(&file, content).expect("written");
    let url = format!("file://{}?checksum=sha256:{}", file.display(), digest(content));
    check_refused(
        &home,
        &info(&url),
        &[DOWNLOADS, ("SWINGVISOR_PROBE_TIMEOUT", "300ms")],
        "had not answered after 300 ms",
    );
}

#[test]
fn a_server_with_an_unknown_certificate_is_not_believed() {
    let home = Home::new();
    let binary = version_2(&home);
    let url = format!("https://localhost:{}/toyd?checksum=sha256:{}", serve(binary.clone()), digest(&binary));
    check_refused(&home, &info(&url), &[DOWNLOADS], "certificate");
}

#[test]
fn the_binary_is_downloaded_and_found_fit_while_the_node_runs_and_prepare_upgrade_does_it_by_hand() {
    let home = Home::new();
    let binary = version_2(&home);
    let file = home.at("release/toyd");
    let url = format!("file://{}?checksum=sha256:{}", file.display(), digest(&binary));
    home.set_state(&json!({ "plan": Home::plan(1_000_000, &info(&url)), "until": null, "block_ms": 5 }));
    let running = home.start(&[DOWNLOADS]);
    until("the binary to be ready", || home.said().contains("the plan's binary is ready").then_some(()));
    drop(running);
    assert_eq!(fs::read(home.at("cosmovisor/upgrades/version-2/bin/toyd")).expect("installed"), binary);
    assert!(home.current().ends_with("genesis"));

    fs::remove_dir_all(home.at("cosmovisor/upgrades/version-2")).expect("removed");
    let refused = home.run(&["prepare-upgrade"], &[]);
    assert_eq!(refused.status.code(), Some(1));
    let prepared = home.run(&["prepare-upgrade"], &[DOWNLOADS]);
    let said = String::from_utf8_lossy(&prepared.stdout).into_owned();
    assert!(said.contains("ready for plan version-2 at height 1000000") && said.contains(&digest(&binary)), "{said}");
}
