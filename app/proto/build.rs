//! Compiles `proto/` without protoc: generated types, and a descriptor set that keeps our field options.

use std::path::{Path, PathBuf};

use prost_types::DescriptorProto;

type BuildError = Box<dyn std::error::Error>;

fn main() -> Result<(), BuildError> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=proto");
    let root = Path::new("proto");
    let mut files = Vec::new();
    collect_proto_files(root, &mut files)?;
    // Directory order differs between file systems; the generated code must not.
    files.sort();

    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    // The typed set drops options that prost does not know, so the embedded one is written by the compiler itself,
    // and without comments, which nothing reads at run time.
    let embedded = compile(root, &files, false)?.encode_file_descriptor_set();
    std::fs::write(out_dir.join("descriptors.bin"), embedded)?;
    let mut typed = compile(root, &files, true)?.file_descriptor_set();
    // Clients are told what is deprecated, by the embedded set; a node has to serve it all the same, without a warning
    // at every use.
    for file in &mut typed.file {
        file.message_type.iter_mut().for_each(clear_deprecated);
        file.enum_type.iter_mut().flat_map(|values| &mut values.value).for_each(|value| value.options = None);
    }
    prost_build::Config::new().enable_type_names().include_file("packages.rs").compile_fds(typed)?;
    Ok(())
}

fn clear_deprecated(message: &mut DescriptorProto) {
    if let Some(options) = &mut message.options {
        options.deprecated = None;
    }
    for options in message.field.iter_mut().filter_map(|field| field.options.as_mut()) {
        options.deprecated = None;
    }
    message.nested_type.iter_mut().for_each(clear_deprecated);
}

fn compile(root: &Path, files: &[PathBuf], with_comments: bool) -> Result<protox::Compiler, BuildError> {
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_imports(true).include_source_info(with_comments).open_files(files)?;
    Ok(compiler)
}

fn collect_proto_files(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), BuildError> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_proto_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
