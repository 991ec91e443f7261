//! What the descriptors and our options say about every message, read once: options are decoded on each access
//! otherwise, and the walkers ask for them at every field.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

use crate::descriptor_pool;

/// How a field's value is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presentation {
    /// As its wire type says.
    Plain,
    /// An integer scaled by 10^18, shown with 18 decimals.
    LegacyDec,
    /// An integer of any size as text.
    Integer,
    /// An account address, shown in bech32.
    AccountBytes,
    /// A JSON document.
    InlineJson,
}

/// Message types with a text of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WellKnown {
    Any,
    Timestamp,
    Duration,
}

/// The shape of a message in amino sign bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AminoShape {
    Fields,
    Key,
    Threshold,
}

/// What there is to know of a field.
#[derive(Debug)]
pub(crate) struct FieldSchema {
    pub descriptor: FieldDescriptor,
    pub name: String,
    pub presentation: Presentation,
    pub non_null: bool,
    pub nullable: bool,
    pub amino_keep_empty: bool,
    pub amino_empty_list: bool,
    pub in_oneof: bool,
    pub repeated: bool,
}

/// What there is to know of a message.
#[derive(Debug)]
pub(crate) struct MessageSchema {
    pub descriptor: MessageDescriptor,
    /// In the order of declaration, which is the order of the SDK's JSON.
    pub fields: Vec<FieldSchema>,
    pub well_known: Option<WellKnown>,
    pub signer: Option<String>,
    pub amino_name: Option<String>,
    pub amino_shape: AminoShape,
}

impl MessageSchema {
    pub(crate) fn field_by_number(&self, number: u32) -> Option<&FieldSchema> {
        self.fields.iter().find(|field| field.descriptor.number() == number)
    }
}

/// The schema of a message by its full name.
pub(crate) fn message_schema(type_name: &str) -> Option<&'static MessageSchema> {
    static SCHEMAS: OnceLock<BTreeMap<String, MessageSchema>> = OnceLock::new();
    SCHEMAS.get_or_init(read_schemas).get(type_name)
}

/// The schema of a message that a field of a known message has.
pub(crate) fn schema_of(descriptor: &MessageDescriptor) -> &'static MessageSchema {
    message_schema(descriptor.full_name()).expect("the schemas cover every message of the pool")
}

/// The schema of the message that a type URL names.
pub(crate) fn schema_of_url(type_url: &str) -> Option<&'static MessageSchema> {
    message_schema(crate::type_name_of_url(type_url)?)
}

fn read_schemas() -> BTreeMap<String, MessageSchema> {
    let options = Options::new(descriptor_pool());
    let messages = descriptor_pool().all_messages();
    messages.map(|message| (message.full_name().to_string(), options.message(message))).collect()
}

/// The extensions of `proto/swing/options/v1/options.proto`.
struct Options {
    legacy_dec: ExtensionDescriptor,
    integer: ExtensionDescriptor,
    non_null: ExtensionDescriptor,
    nullable: ExtensionDescriptor,
    account_bytes: ExtensionDescriptor,
    inline_json: ExtensionDescriptor,
    amino_keep_empty: ExtensionDescriptor,
    amino_empty_list: ExtensionDescriptor,
    signer: ExtensionDescriptor,
    amino_name: ExtensionDescriptor,
    amino_shape: ExtensionDescriptor,
}

impl Options {
    fn new(pool: &DescriptorPool) -> Self {
        let extension = |name: &str| {
            let full_name = format!("swing.options.v1.{name}");
            pool.get_extension_by_name(&full_name).expect("options.proto declares it")
        };
        Self {
            legacy_dec: extension("legacy_dec"),
            integer: extension("integer"),
            non_null: extension("non_null"),
            nullable: extension("nullable"),
            account_bytes: extension("account_bytes"),
            inline_json: extension("inline_json"),
            amino_keep_empty: extension("amino_keep_empty"),
            amino_empty_list: extension("amino_empty_list"),
            signer: extension("signer"),
            amino_name: extension("amino_name"),
            amino_shape: extension("amino_shape"),
        }
    }

    fn message(&self, descriptor: MessageDescriptor) -> MessageSchema {
        let options = descriptor.options();
        let declared = &descriptor.descriptor_proto().field;
        let numbers = declared.iter().filter_map(|field| u32::try_from(field.number()).ok());
        let fields = numbers.filter_map(|number| descriptor.get_field(number)).map(|field| self.field(field)).collect();
        let well_known = match descriptor.full_name() {
            "google.protobuf.Any" => Some(WellKnown::Any),
            "google.protobuf.Timestamp" => Some(WellKnown::Timestamp),
            "google.protobuf.Duration" => Some(WellKnown::Duration),
            _ => None,
        };
        let amino_shape = match options.get_extension(&self.amino_shape).as_enum_number() {
            Some(1) => AminoShape::Key,
            Some(2) => AminoShape::Threshold,
            _ => AminoShape::Fields,
        };
        let signer = text(&options, &self.signer);
        let amino_name = text(&options, &self.amino_name);
        MessageSchema { descriptor, fields, well_known, signer, amino_name, amino_shape }
    }

    fn field(&self, descriptor: FieldDescriptor) -> FieldSchema {
        let options = descriptor.options();
        let is_set = |extension: &ExtensionDescriptor| options.get_extension(extension).as_bool() == Some(true);
        let presentations = [
            (&self.legacy_dec, Presentation::LegacyDec),
            (&self.integer, Presentation::Integer),
            (&self.account_bytes, Presentation::AccountBytes),
            (&self.inline_json, Presentation::InlineJson),
        ];
        let presentation = presentations.iter().find(|(extension, _)| is_set(extension));
        FieldSchema {
            name: descriptor.name().to_string(),
            presentation: presentation.map_or(Presentation::Plain, |(_, presentation)| *presentation),
            non_null: is_set(&self.non_null),
            nullable: is_set(&self.nullable),
            amino_keep_empty: is_set(&self.amino_keep_empty),
            amino_empty_list: is_set(&self.amino_empty_list),
            in_oneof: descriptor.containing_oneof().is_some(),
            repeated: descriptor.cardinality() == Cardinality::Repeated,
            descriptor,
        }
    }
}

fn text(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Option<String> {
    match options.get_extension(extension).as_ref() {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// The schema of the message type of a field, when it has one.
pub(crate) fn field_message(descriptor: &FieldDescriptor) -> Option<&'static MessageSchema> {
    match descriptor.kind() {
        Kind::Message(message) => Some(schema_of(&message)),
        _ => None,
    }
}
