//! `genesis add-vat`.

use clap::Args;
use swing_proto::swing::swingset::v1::{GenesisState, GenesisVat};

use super::sections;
use crate::{
    cli::{Context, Failure, smallcaps},
    config::GenesisDoc,
};

/// Arguments of `genesis add-vat`.
#[derive(Args, Debug)]
pub struct AddVatArgs {
    /// The vat's name
    name: String,
    /// The bundle that it runs: an ID, or a name among those of the release
    bundle: String,
    /// Its parameters, as JSON
    #[arg(long, value_name = "JSON")]
    parameters: Option<String>,
    /// Its death stops the engine
    #[arg(long)]
    critical: bool,
}

/// Runs it.
pub fn add(context: &Context, arguments: &AddVatArgs) -> Result<(), Failure> {
    let path = context.home.genesis();
    let mut doc = GenesisDoc::load(&path)?;
    let mut section: GenesisState = sections::read(&doc, "swingset")?;
    if section.vats.iter().any(|vat| vat.name == arguments.name) {
        return Err(Failure::new(format!("vat {:?} is there already", arguments.name)));
    }
    let parameters = match &arguments.parameters {
        // The section holds the body without its mark.
        Some(text) => smallcaps::body_of_text("--parameters", text)?.split_off(1).into_bytes(),
        None => Vec::new(),
    };
    section.vats.push(GenesisVat {
        name: arguments.name.clone(),
        bundle_id: arguments.bundle.clone(),
        parameters,
        critical: arguments.critical,
    });
    sections::write(&mut doc, "swingset", &section)?;
    Ok(doc.save(&path)?)
}
